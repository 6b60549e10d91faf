"""AWS's own translation of a SAM template into plain CloudFormation. It runs with the SAM CLI's Python."""

import logging

from samtranslator.translator.transform import transform

# It warns of each feature toggle that it cannot look up.
logging.getLogger('samtranslator').setLevel(logging.ERROR)


class NoManagedPolicies:
    """The translator asks for the ARNs of AWS's managed policies. The template names none."""

    def load(self):
        return {}


def translated(template):
    """The template as CloudFormation deploys it."""
    return transform(template, {}, NoManagedPolicies())
