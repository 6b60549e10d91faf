### Regain の日本語テキスト。説明は en.ftl にあります。

direction = ltr

## メール

mail-auth-subject = { $service } の確認コード
mail-auth-title = パスワードをお忘れですか？
mail-auth-lead-app = ご本人であることを確認するため、このコードを { $service } のアプリに入力してください。続いて、新しいパスワードを設定できます。
mail-auth-lead-website = ご本人であることを確認するため、このコードを { $service } のウェブサイトに入力してください。続いて、新しいパスワードを設定できます。

mail-directory-subject = { $service } のパスワード再設定コード
mail-directory-title = 新しいパスワードの設定
mail-directory-lead = このコードを入力して、{ $service } アカウントの新しいパスワードを設定してください。

mail-code-preview = 有効期間は { $validFor } です。誰にも教えないでください。
mail-code-valid = このコードは { $validFor } 有効で、一度だけ使用できます。
mail-code-secret = このコードは誰にも教えないでください。
mail-code-secret-why = { $service } が電話やメッセージでコードをお尋ねすることは決してありません。
mail-code-not-asked = お心当たりがない場合は、このメールを無視してください。パスワードは変更されません。
mail-link-lead = コードを使わずに新しいパスワードを設定することもできます。このリンクの有効期間はコードと同じで、一度だけ使用できます。他の人に渡さないでください。
mail-link-button = 新しいパスワードを設定する

mail-changed-subject = { $service } のパスワードが変更されました
mail-changed-title = パスワードが変更されました
mail-changed-preview = お心当たりがない場合は、すぐにご対応ください。
mail-changed-lead = { $service } アカウントのパスワードが変更されました。ご自身で変更された場合は、何もする必要はありません。
mail-changed-not-you = お心当たりがありませんか？
mail-changed-block = 誰かに使われる前に、アカウントをブロックしてください。七日以内にこのリンクを開き、確認してください。
mail-changed-block-button = アカウントをブロックする
mail-changed-reset-app = すぐにパスワードを再設定してください。{ $service } のアプリを開き、「パスワードをお忘れですか」を選択してください。
mail-changed-reset-website = すぐにパスワードを再設定してください。{ $service } のウェブサイトを開き、「パスワードをお忘れですか」を選択してください。
mail-changed-support = その後、{ $service } のサポートにご連絡ください。
mail-changed-support-at = その後、{ $service } のサポートにご連絡ください：{ $contact }

mail-automatic = このメールは自動送信です。ご返信いただいても確認できません。
mail-automatic-replies = このメールは自動送信です。

## 時間

duration-seconds = { $count }秒間
duration-minutes = { $count }分間

## auth/v1 のメッセージ

api-code-sent = このメールアドレスが登録されている場合は、コードをお送りします。
api-code-proven = コードが確認できました。新しいパスワードを設定してください。
api-password-set = パスワードが変更されました。
api-account-blocked = アカウントをブロックしました。サポートにご連絡ください。
api-password-required = パスワードを入力してください。
api-otp-invalid = コードが正しくありません。
api-otp-expired = コードの有効期限が切れています。新しいコードをリクエストしてください。
api-token-invalid = トークンが無効です。先にコードを確認してください。
api-user-blocked = このアカウントはブロックされています。サポートにご連絡ください。
api-session-not-found = セッションが見つかりません。
api-session-expired = セッションは終了しました。最初からやり直してください。
api-password-rejected = このパスワードは使用できません。
api-attempts-exceeded = 誤ったコードの入力回数が多すぎます。
api-too-many-requests = リクエストが多すぎます。しばらくしてからもう一度お試しください。
api-unavailable = サービスを利用できません。もう一度お試しください。
api-internal-error = システムでエラーが発生しました。

api-invalid-body = リクエストが無効です
api-invalid-content-type = コンテンツタイプが無効です
api-invalid-email = メールアドレスが無効です
api-invalid-idempotency-key = 冪等キーが無効です
api-invalid-method = メソッドが無効です
api-invalid-otp = コードが無効です
api-invalid-password = パスワードが無効です
api-invalid-session-id = セッションが無効です
api-invalid-token = トークンが無効です

api-reason-too-short = { $count }文字以上にしてください。
api-reason-too-long = { $count }文字以下にしてください。
api-reason-too-common = 最初に推測されやすいパスワードです。
api-reason-breached = 流出したパスワードの一覧に載っています。ほかで使っていないものを選んでください。
api-reason-contains-address = メールアドレスに似すぎています。
api-reason-contains-service-name = このサービスの名前に似すぎています。
api-reason-contains-profile = お名前またはプロフィールのほかの情報に似すぎています。

## 再設定ページ

page-noscript = このページには JavaScript が必要です。有効にするか、別のブラウザで開いてください。
page-incomplete = ページを読み込めませんでした。接続を確認して、再読み込みしてください。

page-step = ステップ { $number } / { $count }
page-problem = 問題があります
page-problem-title = エラー：{ $title }
page-busy = お待ちください。
page-start-again = 最初からやり直す
page-sign-in = ログイン
page-wait = { $time }後にもう一度お試しいただけます。
page-wait-over = もう一度お試しいただけます。

page-address-title = パスワードの再設定
page-address-lead = { $service } アカウントのメールアドレスを入力してください。コードをお送りします。
page-address-label = メールアドレス
page-address-submit = コードを送信
page-address-invalid = メールアドレスを入力してください（例：name@example.com）

page-code-title = メールをご確認ください
page-code-lead = { $email } がアカウントに登録されている場合は、コードを記載したメールをお送りします。一分ほどかかることがあります。迷惑メールフォルダもご確認ください。
page-code-label = メールに記載のコード
page-code-hint = { $count }桁の数字
page-code-submit = 続ける
page-code-other-address = 別のメールアドレスを使う
page-code-malformed = メールに記載のコードを入力してください：{ $count }桁の数字
page-code-wrong = コードが正しくありません。最新のコードのみ有効です。
page-code-expired = コードの有効期限が切れています。新しいコードを送信してください。
page-code-unsure = このコードは使用できません。または、応答が届かなかった操作ですでに使用されています。新しいコードを送信してください。
page-code-replaced = 新しいコードが発行されています。最新のコードを入力するか、新しいコードを送信してください。
page-resend = 新しいコードを送信
page-resend-wait = { $time }後
page-resend-ready = 新しいコードを送信できます。
page-resend-done = 新しいコードを送信しました。以前のコードは使用できません。
page-resend-unsure = 新しいコードはすでに送信されている可能性があります。メールをご確認ください。

page-password-title = 新しいパスワードの設定
page-password-lead = 最小の長さ：{ $count }文字。ほかで使っていない、互いに関係のない単語をいくつか組み合わせるのがおすすめです。
page-password-account = アカウント
page-password-label = 新しいパスワード
page-password-show = 表示
page-password-hide = 非表示
page-password-show-label = パスワードを表示
page-password-hide-label = パスワードを非表示
page-password-shown = パスワードが表示されています。
page-password-hidden = パスワードは非表示です。
page-password-submit = パスワードを設定
page-password-missing = 新しいパスワードを入力してください
page-password-rejected = このパスワードは使用できません
page-reason-too_short = 短すぎます。最小の長さ：{ $count }文字。
page-reason-too_long = 長すぎます。最大の長さ：256文字。
page-reason-too_common = 最初に推測されやすいパスワードです。
page-reason-breached = 流出したパスワードの一覧に載っています。ほかで使っていないものを選んでください。
page-reason-contains_address = メールアドレスに似すぎています。
page-reason-contains_service_name = 「{ $service }」という名前に似すぎています。
page-reason-contains_profile = お名前またはプロフィールのほかの情報に似すぎています。
page-reason-other = 別のパスワードを選んでください。

page-done-title = パスワードが変更されました
page-done-lead = 新しいパスワードでログインしてください。変更を確認するメールをお送りしました。
page-unsure-title = パスワードは変更された可能性があります
page-unsure-lead = 応答が途中で失われました。パスワード変更のメールが届いた場合は、新しいパスワードでログインしてください。メールが届かない場合は、最初からやり直してください。
page-expired-title = この再設定は終了しました
page-expired-lead = 時間がかかりすぎたか、パスワードがすでに設定されています。新しいコードを受け取るには、最初からやり直してください。
page-link-title = このリンクは使用できなくなりました
page-link-lead = リンクは短い時間内に一度だけ使用できます。新しいコードが発行された場合も無効になります。新しいリンクを受け取るには、最初からやり直してください。
page-spent-title = 誤ったコードの入力回数が多すぎます
page-spent-lead = 安全のため、ここではこれ以上コードを受け付けません。新しいコードを受け取るには、最初からやり直してください。
page-spent-wait = 安全のため、このアカウントではこれ以上コードを受け付けません。{ $time }後にもう一度お試しいただけます。
page-blocked-title = このアカウントはブロックされています
page-blocked-lead = ここではパスワードを変更できません。{ $service } のサポートにご連絡ください。
page-not-me-title = お心当たりがありませんか
page-not-me-lead = { $service } のパスワードを変更していない場合は、アカウントをブロックしてください。サポートが対応するまで、誰も新しいパスワードを設定できなくなります。ご自身で変更した場合は、このページを閉じてください。
page-not-me-submit = アカウントをブロックする
page-disowned-title = アカウントをブロックしました
page-disowned-lead = 元に戻すには、{ $service } のサポートにご連絡ください。ほかの人にメールを読まれたおそれがある場合は、メールのパスワードをすぐに変更してください。
page-not-me-over-title = このリンクは無効になりました
page-not-me-over-lead = リンクは変更から七日間有効です。パスワードを変更していない場合は、{ $service } のサポートにご連絡ください。

page-too-many = リクエストが多すぎました。
page-unavailable = 現在サービスを利用できません。もう一度お試しください。
page-no-answer = 応答がありませんでした。接続を確認して、もう一度お試しください。
page-unexpected = 問題が発生しました。もう一度お試しください。
