### The texts of Regain: of its mails, of the messages of auth/v1, and of the recovery page.
###
### To translate them, copy this file, name it after the language (it.ftl, zh-Hant.ftl), and translate what stands right of each
### equals sign. Keep the names left of it, and keep the names in braces, such as { $service }: they are filled in.
### CONTRIBUTING.md says what else a new language needs.

# The direction that the language is written in: ltr (left to right) or rtl (right to left).
direction = ltr

## Mails
##
## SES fills in $service (the name of the app or website) and $validFor (a duration, such as "10 minutes").

# The mail with a code of auth/v1.
mail-auth-subject = Your { $service } verification code
mail-auth-title = Forgot your password?
mail-auth-lead-app = Enter this code in the { $service } app to show that it is you. Then you can choose a new password.
mail-auth-lead-website = Enter this code on the { $service } website to show that it is you. Then you can choose a new password.

# The mail with a code of the Directory API.
mail-directory-subject = Your { $service } password reset code
mail-directory-title = Choose a new password
mail-directory-lead = Enter this code to go on and choose a new password for your { $service } account.

# What both have. The preview is the line that mail programs show beside the subject.
mail-code-preview = Valid for { $validFor }. Keep it to yourself.
mail-code-valid = It is valid for { $validFor } and works once.
mail-code-secret = Do not share this code with anybody.
mail-code-secret-why = { $service } will never call, write or text you to ask for it.
mail-code-not-asked = If you did not ask for this, ignore this email. Your password stays as it is.
# Stands above the link.
mail-link-lead = Or choose a new password without the code. This link works once, for as long as the code. Do not pass it on.
mail-link-button = Choose a new password

# The notice that a password was changed.
mail-changed-subject = Your { $service } password was changed
mail-changed-title = Your password was changed
mail-changed-preview = If it was not you, act at once.
mail-changed-lead = The password of your { $service } account was changed. If that was you, there is nothing to do.
mail-changed-not-you = Was it not you?
# Stands above the link that blocks the account.
mail-changed-block = Block the account before anybody can use it: open this link within seven days and confirm.
mail-changed-block-button = Block my account
# Stands there if there is no such link. "Forgot password" is what the app or website calls it.
mail-changed-reset-app = Reset your password at once: open the { $service } app and choose “Forgot password”.
mail-changed-reset-website = Reset your password at once: open the { $service } website and choose “Forgot password”.
mail-changed-support = Then contact { $service } support.
# $contact is an email address or the address of a page.
mail-changed-support-at = Then contact { $service } support: { $contact }

# The end of every mail. The first stands there if replies go to nobody.
mail-automatic = This is an automatic email. Replies are not read.
mail-automatic-replies = This is an automatic email.

## Durations

duration-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
duration-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}

## The messages of auth/v1

api-code-sent = If this address is registered, a code is on its way.
api-code-proven = The code is right. Please choose a new password.
api-password-set = Your password was changed.
api-account-blocked = The account is blocked now. Please contact support.
api-password-required = A password is required.
api-otp-invalid = The code is not right.
api-otp-expired = The code has expired. Please ask for a new one.
api-token-invalid = The token is not valid. Please verify the code first.
api-user-blocked = This account is blocked. Please contact support.
api-session-not-found = There is no such session.
api-session-expired = The session is over. Please start again.
api-password-rejected = This password is not acceptable.
api-attempts-exceeded = Too many wrong codes.
api-too-many-requests = Too many requests. Please try again later.
api-unavailable = The service is unavailable. Please try again.
api-internal-error = Something went wrong on our side.

# A field of a request cannot be read.
api-invalid-body = Request is not valid
api-invalid-content-type = Content type is not valid
api-invalid-email = Email is not valid
api-invalid-idempotency-key = Idempotency key is not valid
api-invalid-method = Method is not valid
api-invalid-otp = OTP code is not valid
api-invalid-password = Password is not valid
api-invalid-session-id = Session is not valid
api-invalid-token = Token is not valid

# Why a password was refused. They follow api-password-rejected.
api-reason-too-short = It needs at least { $count } characters.
api-reason-too-long = It may have at most { $count } characters.
api-reason-too-common = It is one of those that are guessed first.
api-reason-breached = It is on a list of leaked passwords; choose one that you use nowhere else.
api-reason-contains-address = It is too close to your email address.
api-reason-contains-service-name = It is too close to the name of this service.
api-reason-contains-profile = It is too close to your name or something else in your profile.

## The recovery page

# Shown where scripts are switched off.
page-noscript = This page needs JavaScript. Switch it on, or open the page in another browser.

# Shown if the page is incomplete.
page-incomplete = This page could not be loaded. Check your connection, and reload it.

## The page: what every step has

page-step = Step { $number } of { $count }
page-problem = There is a problem
# Put before the title of the browser's tab.
page-problem-title = Problem: { $title }
page-busy = Please wait.
page-start-again = Start again
page-sign-in = Sign in
# $time is a duration, such as "45 seconds".
page-wait = You can try again in { $time }.
page-wait-over = You can try again now.

## The page: step 1: the address

page-address-title = Reset your password
# $service is the name of the app or website.
page-address-lead = Enter the email address of your { $service } account. We will send you a code.
page-address-label = Email address
page-address-submit = Send code
page-address-invalid = Enter an email address, such as name@example.com

## The page: step 2: the code

page-code-title = Check your mail
page-code-lead = If { $email } belongs to an account, a mail with a code is on its way. It can take a minute. Look among junk mail, too.
page-code-label = Code from the mail
# $count is a number from 4 to 10.
page-code-hint = { $count } digits
page-code-submit = Continue
page-code-other-address = Use another address
page-code-malformed = Enter the code from the mail: { $count } digits
page-code-wrong = This code is not right. Only the newest code works.
page-code-expired = This code has expired. Send a new one.
# The answer to an earlier attempt was lost, so the code may have been right and used.
page-code-unsure = This code does not work, or was used by an attempt whose answer was lost. Send a new one.
page-code-replaced = Your code was replaced by a newer one. Enter the newest code, or send a new one.
page-resend = Send a new code
# Follows the text of resend: "Send a new code in 45 seconds".
page-resend-wait = in { $time }
page-resend-ready = You can send a new code now.
page-resend-done = We have sent a new code. Earlier codes no longer work.
page-resend-unsure = A new code was probably sent already. Check your mail.

## The page: step 3: the new password

page-password-title = Choose a new password
# $count is a number from 8 to 64. "Minimum length: 8 characters" needs no plural forms in most languages.
page-password-lead = Minimum length: { $count } characters. A few unrelated words that you use nowhere else work well.
page-password-account = Account
page-password-label = New password
page-password-show = Show
page-password-hide = Hide
page-password-show-label = Show password
page-password-hide-label = Hide password
page-password-shown = Your password is visible.
page-password-hidden = Your password is hidden.
page-password-submit = Set password
page-password-missing = Enter a new password
page-password-rejected = This password cannot be used
page-reason-too_short = It is too short. Minimum length: { $count } characters.
page-reason-too_long = It is too long. Maximum length: 256 characters.
page-reason-too_common = It is one of the passwords that are guessed first.
page-reason-breached = It is on a list of leaked passwords. Choose one that you use nowhere else.
page-reason-contains_address = It is too close to your email address.
page-reason-contains_service_name = It is too close to the name { $service }.
page-reason-contains_profile = It is too close to your name or something else in your profile.
page-reason-other = Choose another one.

## The page: the end

page-done-title = Your password was changed
page-done-lead = Sign in with your new password. We have sent you a mail that confirms the change.
page-unsure-title = Your password was probably changed
page-unsure-lead = An answer was lost on its way. If you get a mail that says your password was changed, sign in with the new one. If no mail comes, start again.
page-expired-title = This recovery has ended
page-expired-lead = It took too long, or your password has been set already. Start again to get a new code.
page-link-title = This link no longer works
page-link-lead = Each link works once, and only for a short time. A newer code also replaces it. Start again to get a new one.
page-spent-title = Too many wrong codes
page-spent-lead = For your safety, no more codes are accepted here. Start again to get a new one.
page-spent-wait = For your safety, no more codes are accepted for this account. You can try again in { $time }.
page-blocked-title = This account is blocked
page-blocked-lead = Its password cannot be changed here. Contact the support of { $service }.

## The page: the link of the notice of a changed password

page-not-me-title = Was it not you?
page-not-me-lead = If you did not change your password at { $service }, block your account. Nobody can set a new password then, until support helps you. If it was you, close this page.
page-not-me-submit = Block my account
page-disowned-title = Your account is blocked
page-disowned-lead = Contact the support of { $service } to get it back. If somebody else may have read your mail, change the password of your mailbox now.
page-not-me-over-title = This link no longer works
page-not-me-over-lead = It works for seven days after the change. If you did not change your password, contact the support of { $service }.

## The page: what can go wrong at any step

page-too-many = There were too many requests.
page-unavailable = The service is not available right now. Try again.
page-no-answer = No answer came. Check your connection, and try again.
page-unexpected = Something went wrong. Try again.
