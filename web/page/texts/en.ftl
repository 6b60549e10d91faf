### What the recovery page says.
###
### To translate it, copy this file, name it after the language (fr.ftl, pt-BR.ftl), and translate what stands right of each
### equals sign. Keep the names left of it, and keep everything in braces, such as { $email }: the page fills it in.

# The direction that the language is written in: ltr (left to right) or rtl (right to left).
direction = ltr

# Shown where scripts are switched off.
noscript = This page needs JavaScript. Switch it on, or open the page in another browser.

# Shown if the page is incomplete.
incomplete = This page could not be loaded. Check your connection, and reload it.

## What every step has

step = Step { $number } of { $count }
problem = There is a problem
# Put before the title of the browser's tab.
problem-title = Problem: { $title }
busy = Please wait.
start-again = Start again
sign-in = Sign in
# $time is a duration, such as "45 seconds".
wait = You can try again in { $time }.
wait-over = You can try again now.

## Step 1: the address

address-title = Reset your password
# $service is the name of the app or website.
address-lead = Enter the email address of your { $service } account. We will send you a code.
address-label = Email address
address-submit = Send code
address-invalid = Enter an email address, such as name@example.com

## Step 2: the code

code-title = Check your mail
code-lead = If { $email } belongs to an account, a mail with a code is on its way. It can take a minute. Look among junk mail, too.
code-label = Code from the mail
# $count is a number from 4 to 10.
code-hint = { $count } digits
code-submit = Continue
code-other-address = Use another address
code-malformed = Enter the code from the mail: { $count } digits
code-wrong = This code is not right. Only the newest code works.
code-expired = This code has expired. Send a new one.
# The answer to an earlier attempt was lost, so the code may have been right and used.
code-unsure = This code does not work, or was used by an attempt whose answer was lost. Send a new one.
code-replaced = Your code was replaced by a newer one. Enter the newest code, or send a new one.
resend = Send a new code
# Follows the text of resend: "Send a new code in 45 seconds".
resend-wait = in { $time }
resend-ready = You can send a new code now.
resend-done = We have sent a new code. Earlier codes no longer work.
resend-unsure = A new code was probably sent already. Check your mail.

## Step 3: the new password

password-title = Choose a new password
# $count is a number from 8 to 64. "Minimum length: 8 characters" needs no plural forms in most languages.
password-lead = Minimum length: { $count } characters. A few unrelated words that you use nowhere else work well.
password-account = Account
password-label = New password
password-show = Show
password-hide = Hide
password-show-label = Show password
password-hide-label = Hide password
password-shown = Your password is visible.
password-hidden = Your password is hidden.
password-submit = Set password
password-missing = Enter a new password
password-rejected = This password cannot be used
reason-too_short = It is too short. Minimum length: { $count } characters.
reason-too_long = It is too long. Maximum length: 256 characters.
reason-too_common = It is one of the passwords that are guessed first.
reason-breached = It is on a list of leaked passwords. Choose one that you use nowhere else.
reason-contains_address = It is too close to your email address.
reason-contains_service_name = It is too close to the name { $service }.
reason-contains_profile = It is too close to your name or something else in your profile.
reason-other = Choose another one.

## The end

done-title = Your password was changed
done-lead = Sign in with your new password. We have sent you a mail that confirms the change.
unsure-title = Your password was probably changed
unsure-lead = An answer was lost on its way. If you get a mail that says your password was changed, sign in with the new one. If no mail comes, start again.
expired-title = This recovery has ended
expired-lead = It took too long, or your password has been set already. Start again to get a new code.
link-title = This link no longer works
link-lead = Each link works once, and only for a short time. A newer code also replaces it. Start again to get a new one.
spent-title = Too many wrong codes
spent-lead = For your safety, no more codes are accepted here. Start again to get a new one.
spent-wait = For your safety, no more codes are accepted for this account. You can try again in { $time }.
blocked-title = This account is blocked
blocked-lead = Its password cannot be changed here. Contact the support of { $service }.

## What can go wrong at any step

too-many = There were too many requests.
unavailable = The service is not available right now. Try again.
no-answer = No answer came. Check your connection, and try again.
unexpected = Something went wrong. Try again.
