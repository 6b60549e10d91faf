### Regain 的简体中文文本。说明见 en.ftl。

direction = ltr

## 邮件

mail-auth-subject = 您的 { $service } 验证码
mail-auth-title = 忘记密码了？
mail-auth-lead-app = 请在 { $service } 应用中输入此验证码，以确认是您本人。之后您可以设置新密码。
mail-auth-lead-website = 请在 { $service } 网站上输入此验证码，以确认是您本人。之后您可以设置新密码。

mail-directory-subject = 您的 { $service } 密码重置验证码
mail-directory-title = 设置新密码
mail-directory-lead = 请输入此验证码，继续为您的 { $service } 账号设置新密码。

mail-code-preview = { $validFor }内有效。请勿告诉他人。
mail-code-valid = 验证码在 { $validFor }内有效，只能使用一次。
mail-code-secret = 请勿将此验证码告诉任何人。
mail-code-secret-why = { $service } 绝不会通过电话、信件或短信向您索要验证码。
mail-code-not-asked = 如果这不是您本人的请求，请忽略此邮件。您的密码不会改变。
mail-link-lead = 您也可以不用验证码，直接设置新密码。此链接的有效时间与验证码相同，只能使用一次。请勿转给他人。
mail-link-button = 设置新密码

mail-changed-subject = 您的 { $service } 密码已更改
mail-changed-title = 您的密码已更改
mail-changed-preview = 如果不是您本人操作，请立即处理。
mail-changed-lead = 您的 { $service } 账号密码已更改。如果是您本人操作，则无需任何处理。
mail-changed-not-you = 不是您本人操作？
mail-changed-block = 请在他人使用账号之前将其锁定：七天内打开此链接并确认。
mail-changed-block-button = 锁定我的账号
mail-changed-reset-app = 请立即重置密码：打开 { $service } 应用，选择“忘记密码”。
mail-changed-reset-website = 请立即重置密码：打开 { $service } 网站，选择“忘记密码”。
mail-changed-support = 然后请联系 { $service } 客服。
mail-changed-support-at = 然后请联系 { $service } 客服：{ $contact }

mail-automatic = 这是一封自动发送的邮件，我们不会查看回复。
mail-automatic-replies = 这是一封自动发送的邮件。

## 时长

duration-seconds = { $count } 秒
duration-minutes = { $count } 分钟

## auth/v1 的消息

api-code-sent = 如果此邮箱已注册，验证码正在发送。
api-code-proven = 验证码正确。请设置新密码。
api-password-set = 您的密码已更改。
api-account-blocked = 账号已锁定。请联系客服。
api-password-required = 请输入密码。
api-otp-invalid = 验证码不正确。
api-otp-expired = 验证码已过期。请获取新的验证码。
api-token-invalid = 令牌无效。请先验证验证码。
api-user-blocked = 此账号已被锁定。请联系客服。
api-session-not-found = 会话不存在。
api-session-expired = 会话已结束。请重新开始。
api-password-rejected = 此密码不符合要求。
api-attempts-exceeded = 错误的验证码过多。
api-too-many-requests = 请求过多。请稍后再试。
api-unavailable = 服务暂不可用。请重试。
api-internal-error = 系统出现错误。

api-invalid-body = 请求无效
api-invalid-content-type = 内容类型无效
api-invalid-email = 邮箱地址无效
api-invalid-idempotency-key = 幂等键无效
api-invalid-method = 请求方法无效
api-invalid-otp = 验证码无效
api-invalid-password = 密码无效
api-invalid-session-id = 会话无效
api-invalid-token = 令牌无效

api-reason-too-short = 至少需要 { $count } 个字符。
api-reason-too-long = 最多可以有 { $count } 个字符。
api-reason-too-common = 它属于最先被猜到的密码。
api-reason-breached = 它在已泄露密码的名单上；请选择您未在别处使用过的密码。
api-reason-contains-address = 它与您的邮箱地址过于相似。
api-reason-contains-service-name = 它与此服务的名称过于相似。
api-reason-contains-profile = 它与您的姓名或个人资料中的其他信息过于相似。

## 找回密码页面

page-noscript = 此页面需要 JavaScript。请启用它，或在其他浏览器中打开此页面。
page-incomplete = 无法加载此页面。请检查网络连接，然后重新加载。

page-step = 第 { $number } 步，共 { $count } 步
page-problem = 出现问题
page-problem-title = 问题：{ $title }
page-busy = 请稍候。
page-start-again = 重新开始
page-sign-in = 登录
page-wait = { $time }后可以重试。
page-wait-over = 现在可以重试。

page-address-title = 重置密码
page-address-lead = 请输入您 { $service } 账号的邮箱地址。我们会向您发送验证码。
page-address-label = 邮箱地址
page-address-submit = 发送验证码
page-address-invalid = 请输入邮箱地址，例如 name@example.com

page-code-title = 请查看邮件
page-code-lead = 如果 { $email } 已注册账号，您将收到一封含有验证码的邮件，可能需要一分钟。请同时查看垃圾邮件。
page-code-label = 邮件中的验证码
page-code-hint = { $count } 位数字
page-code-submit = 继续
page-code-other-address = 使用其他邮箱
page-code-malformed = 请输入邮件中的验证码：{ $count } 位数字
page-code-wrong = 验证码不正确。只有最新的验证码有效。
page-code-expired = 验证码已过期。请发送新的验证码。
page-code-unsure = 此验证码无效，或已在一次未收到响应的操作中使用。请发送新的验证码。
page-code-replaced = 您的验证码已被新的验证码取代。请输入最新的验证码，或再次发送。
page-resend = 发送新的验证码
page-resend-wait = { $time }后
page-resend-ready = 现在可以发送新的验证码。
page-resend-done = 我们已发送新的验证码。之前的验证码不再有效。
page-resend-unsure = 新的验证码可能已经发送。请查看邮件。

page-password-title = 设置新密码
page-password-lead = 最短长度：{ $count } 个字符。建议使用几个互不相关、未在别处使用过的词语。
page-password-account = 账号
page-password-label = 新密码
page-password-show = 显示
page-password-hide = 隐藏
page-password-show-label = 显示密码
page-password-hide-label = 隐藏密码
page-password-shown = 密码已显示。
page-password-hidden = 密码已隐藏。
page-password-submit = 保存密码
page-password-missing = 请输入新密码
page-password-rejected = 无法使用此密码
page-reason-too_short = 密码太短。最短长度：{ $count } 个字符。
page-reason-too_long = 密码太长。最大长度：256 个字符。
page-reason-too_common = 它属于最先被猜到的密码。
page-reason-breached = 它在已泄露密码的名单上。请选择您未在别处使用过的密码。
page-reason-contains_address = 它与您的邮箱地址过于相似。
page-reason-contains_service_name = 它与名称“{ $service }”过于相似。
page-reason-contains_profile = 它与您的姓名或个人资料中的其他信息过于相似。
page-reason-other = 请选择其他密码。

page-done-title = 您的密码已更改
page-done-lead = 请使用新密码登录。我们已向您发送确认邮件。
page-unsure-title = 您的密码可能已更改
page-unsure-lead = 有一条响应在途中丢失。如果您收到密码已更改的邮件，请使用新密码登录。如果没有收到邮件，请重新开始。
page-expired-title = 此次找回已结束
page-expired-lead = 用时过长，或您的密码已经设置。请重新开始以获取新的验证码。
page-link-title = 此链接已失效
page-link-lead = 每个链接只能使用一次，且有效时间很短。发送新的验证码后，旧链接也会失效。请重新开始以获取新的链接。
page-spent-title = 错误的验证码过多
page-spent-lead = 为了您的安全，此处不再接受验证码。请重新开始以获取新的验证码。
page-spent-wait = 为了您的安全，此账号不再接受验证码。{ $time }后可以重试。
page-blocked-title = 此账号已被锁定
page-blocked-lead = 无法在此更改其密码。请联系 { $service } 客服。
page-not-me-title = 不是您本人操作？
page-not-me-lead = 如果您没有更改 { $service } 的密码，请锁定您的账号。之后在客服帮助您之前，任何人都无法设置新密码。如果是您本人操作，请关闭此页面。
page-not-me-submit = 锁定我的账号
page-disowned-title = 您的账号已锁定
page-disowned-lead = 请联系 { $service } 客服以恢复账号。如果其他人可能读过您的邮件，请立即更改邮箱密码。
page-not-me-over-title = 此链接已失效
page-not-me-over-lead = 链接在更改后七天内有效。如果您没有更改密码，请联系 { $service } 客服。

page-too-many = 请求过多。
page-unavailable = 服务目前不可用。请重试。
page-no-answer = 没有收到响应。请检查网络连接，然后重试。
page-unexpected = 出现错误。请重试。
