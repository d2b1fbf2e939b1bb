# Reads .env files with Ruby's dotenv: a path a line comes in, what was read goes out as a line of JSON.
require "dotenv"
require "json"
$stdout.sync = true
ENV.clear
$stdin.each_line(chomp: true) do |path|
  begin
    puts JSON.generate(Dotenv::Environment.new(path, true))
  rescue Dotenv::FormatError, ArgumentError, Encoding::UndefinedConversionError, JSON::GeneratorError
    puts "null"
  end
end
