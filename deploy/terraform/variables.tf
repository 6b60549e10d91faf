variable "name" {
  description = "The stack's name. All names in the account begin with it."
  type        = string
  default     = "regain"

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9-]{0,30}$", var.name))
    error_message = "A stack's name has at most 31 letters, digits and hyphens, or the longest name of a mail template does not fit."
  }
}

variable "release" {
  description = "The folder of an unpacked release for one architecture: template.json and a zip for each function"
  type        = string
}

variable "bucket" {
  description = "A bucket of yours in the stack's region. The module puts the zips and the template there."
  type        = string
}

variable "prefix" {
  description = "What the keys in the bucket begin with"
  type        = string
  default     = "regain/"
}

variable "parameters" {
  description = "The stack's parameters by name. docs/settings.md and the template describe all."
  type        = map(string)

  validation {
    condition     = contains(keys(var.parameters), "MailFrom")
    error_message = "MailFrom has to be among the parameters: an address that SES has verified."
  }
}

variable "tags" {
  description = "Tags of the stack and its resources"
  type        = map(string)
  default     = {}
}
