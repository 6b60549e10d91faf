# Regain as a Terraform module. It uploads a release to a bucket of yours, and creates a CloudFormation stack from it.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

locals {
  template  = jsondecode(file("${var.release}/template.json"))
  functions = { for id, it in local.template.Resources : id => it if it.Type == "AWS::Serverless::Function" }

  # The released template, whose functions take their code from the bucket. A key holds the hash of its zip: a new zip is a new key,
  # so SAM makes a new version of the function.
  body = jsonencode(merge(local.template, {
    Resources = merge(local.template.Resources, {
      for id, it in local.functions : id => merge(it, {
        Properties = merge(it.Properties, { CodeUri = { Bucket = var.bucket, Key = aws_s3_object.function[id].key } })
      })
    })
  }))
}

data "aws_s3_bucket" "releases" {
  bucket = var.bucket
}

resource "aws_s3_object" "function" {
  for_each = local.functions

  bucket = var.bucket
  key    = "${var.prefix}${filesha256("${var.release}/${each.value.Properties.CodeUri}")}-${each.value.Properties.CodeUri}"
  source = "${var.release}/${each.value.Properties.CodeUri}"
}

# CloudFormation takes a template of this size only from a bucket.
resource "aws_s3_object" "template" {
  bucket  = var.bucket
  key     = "${var.prefix}${sha256(local.body)}-template.json"
  content = local.body
}

resource "aws_cloudformation_stack" "regain" {
  name         = var.name
  template_url = "https://${data.aws_s3_bucket.releases.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  parameters   = var.parameters
  # The stack makes roles, and SAM expands the template.
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags
}
