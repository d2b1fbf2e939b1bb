"""Write a secret into Parameter Store: put_parameter.py NAME <VALUE"""

import sys

import boto3

value = sys.stdin.read().strip()
boto3.client("ssm").put_parameter(Name=sys.argv[1], Value=value, Type="SecureString", Overwrite=True)
