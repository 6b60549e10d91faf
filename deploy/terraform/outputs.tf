output "api_url" {
  description = "The API's address"
  value       = aws_cloudformation_stack.regain.outputs["ApiUrl"]
}

output "outputs" {
  description = "All outputs of the stack, by their names in the template"
  value       = aws_cloudformation_stack.regain.outputs
}
