### Die Texte von Regain auf Deutsch. Die Erklärungen stehen in en.ftl.

direction = ltr

## E-Mails

mail-auth-subject = Ihr Bestätigungscode für { $service }
mail-auth-title = Passwort vergessen?
mail-auth-lead-app = Geben Sie diesen Code in der App von { $service } ein, um zu bestätigen, dass Sie es sind. Danach können Sie ein neues Passwort wählen.
mail-auth-lead-website = Geben Sie diesen Code auf der Website von { $service } ein, um zu bestätigen, dass Sie es sind. Danach können Sie ein neues Passwort wählen.

mail-directory-subject = Ihr Code zum Zurücksetzen des Passworts bei { $service }
mail-directory-title = Wählen Sie ein neues Passwort
mail-directory-lead = Geben Sie diesen Code ein, um fortzufahren und ein neues Passwort für Ihr Konto bei { $service } zu wählen.

mail-code-preview = Gültig für { $validFor }. Geben Sie ihn nicht weiter.
mail-code-valid = Er ist { $validFor } lang gültig und kann einmal verwendet werden.
mail-code-secret = Geben Sie diesen Code an niemanden weiter.
mail-code-secret-why = { $service } wird Sie nie anrufen oder anschreiben, um danach zu fragen.
mail-code-not-asked = Wenn Sie das nicht angefordert haben, ignorieren Sie diese E-Mail. Ihr Passwort bleibt, wie es ist.
mail-link-lead = Oder wählen Sie ein neues Passwort ohne den Code. Dieser Link ist ebenso lange gültig und funktioniert einmal. Geben Sie ihn nicht weiter.
mail-link-button = Neues Passwort wählen

mail-changed-subject = Ihr Passwort bei { $service } wurde geändert
mail-changed-title = Ihr Passwort wurde geändert
mail-changed-preview = Wenn Sie das nicht waren, handeln Sie sofort.
mail-changed-lead = Das Passwort Ihres Kontos bei { $service } wurde geändert. Wenn Sie das waren, müssen Sie nichts tun.
mail-changed-not-you = Waren Sie das nicht?
mail-changed-block = Sperren Sie Ihr Konto, bevor es jemand benutzt: Öffnen Sie innerhalb von sieben Tagen diesen Link und bestätigen Sie.
mail-changed-block-button = Mein Konto sperren
mail-changed-reset-app = Setzen Sie Ihr Passwort sofort zurück: Öffnen Sie die App von { $service } und wählen Sie „Passwort vergessen“.
mail-changed-reset-website = Setzen Sie Ihr Passwort sofort zurück: Öffnen Sie die Website von { $service } und wählen Sie „Passwort vergessen“.
mail-changed-support = Wenden Sie sich danach an den Support von { $service }.
mail-changed-support-at = Wenden Sie sich danach an den Support von { $service }: { $contact }

mail-automatic = Diese E-Mail wurde automatisch versendet. Antworten werden nicht gelesen.
mail-automatic-replies = Diese E-Mail wurde automatisch versendet.

## Zeiten

duration-seconds = { $count ->
    [one] { $count } Sekunde
   *[other] { $count } Sekunden
}
duration-minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}

## Meldungen von auth/v1

api-code-sent = Wenn diese Adresse registriert ist, ist ein Code unterwegs.
api-code-proven = Der Code ist richtig. Bitte wählen Sie ein neues Passwort.
api-password-set = Ihr Passwort wurde geändert.
api-account-blocked = Das Konto ist jetzt gesperrt. Bitte wenden Sie sich an den Support.
api-password-required = Ein Passwort ist erforderlich.
api-otp-invalid = Der Code ist nicht richtig.
api-otp-expired = Der Code ist abgelaufen. Bitte fordern Sie einen neuen an.
api-token-invalid = Das Token ist ungültig. Bitte bestätigen Sie zuerst den Code.
api-user-blocked = Dieses Konto ist gesperrt. Bitte wenden Sie sich an den Support.
api-session-not-found = Diese Sitzung gibt es nicht.
api-session-expired = Die Sitzung ist beendet. Bitte beginnen Sie von vorn.
api-password-rejected = Dieses Passwort kann nicht angenommen werden.
api-attempts-exceeded = Zu viele falsche Codes.
api-too-many-requests = Zu viele Anfragen. Bitte versuchen Sie es später noch einmal.
api-unavailable = Der Dienst ist nicht verfügbar. Bitte versuchen Sie es noch einmal.
api-internal-error = Bei uns ist ein Fehler aufgetreten.

api-invalid-body = Die Anfrage ist ungültig
api-invalid-content-type = Der Inhaltstyp ist ungültig
api-invalid-email = Die E-Mail-Adresse ist ungültig
api-invalid-idempotency-key = Der Idempotenzschlüssel ist ungültig
api-invalid-method = Die Methode ist ungültig
api-invalid-otp = Der Code ist ungültig
api-invalid-password = Das Passwort ist ungültig
api-invalid-session-id = Die Sitzung ist ungültig
api-invalid-token = Das Token ist ungültig

api-reason-too-short = Es braucht mindestens { $count } Zeichen.
api-reason-too-long = Es darf höchstens { $count } Zeichen haben.
api-reason-too-common = Es gehört zu denen, die zuerst ausprobiert werden.
api-reason-breached = Es steht auf einer Liste bekannt gewordener Passwörter; wählen Sie eines, das Sie sonst nirgends verwenden.
api-reason-contains-address = Es ist Ihrer E-Mail-Adresse zu ähnlich.
api-reason-contains-service-name = Es ist dem Namen dieses Dienstes zu ähnlich.
api-reason-contains-profile = Es ist Ihrem Namen oder einer anderen Angabe in Ihrem Profil zu ähnlich.

## Die Seite zur Wiederherstellung

page-noscript = Diese Seite benötigt JavaScript. Schalten Sie es ein oder öffnen Sie die Seite in einem anderen Browser.
page-incomplete = Diese Seite konnte nicht geladen werden. Prüfen Sie Ihre Verbindung und laden Sie die Seite neu.

page-step = Schritt { $number } von { $count }
page-problem = Es gibt ein Problem
page-problem-title = Problem: { $title }
page-busy = Bitte warten Sie.
page-start-again = Von vorn beginnen
page-sign-in = Anmelden
page-wait = Sie können es in { $time } noch einmal versuchen.
page-wait-over = Sie können es jetzt noch einmal versuchen.

page-address-title = Passwort zurücksetzen
page-address-lead = Geben Sie die E-Mail-Adresse Ihres Kontos bei { $service } ein. Wir senden Ihnen einen Code.
page-address-label = E-Mail-Adresse
page-address-submit = Code senden
page-address-invalid = Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com

page-code-title = Sehen Sie in Ihr Postfach
page-code-lead = Wenn { $email } zu einem Konto gehört, ist eine E-Mail mit einem Code unterwegs. Das kann eine Minute dauern. Sehen Sie auch im Spam-Ordner nach.
page-code-label = Code aus der E-Mail
page-code-hint = { $count } Ziffern
page-code-submit = Weiter
page-code-other-address = Andere Adresse verwenden
page-code-malformed = Geben Sie den Code aus der E-Mail ein: { $count } Ziffern
page-code-wrong = Dieser Code ist nicht richtig. Nur der neueste funktioniert.
page-code-expired = Dieser Code ist abgelaufen. Fordern Sie einen neuen an.
page-code-unsure = Dieser Code funktioniert nicht oder wurde bei einem Versuch verwendet, dessen Antwort verloren ging. Fordern Sie einen neuen an.
page-code-replaced = Ihr Code wurde durch einen neueren ersetzt. Geben Sie den neuesten ein oder fordern Sie einen neuen an.
page-resend = Neuen Code anfordern
page-resend-wait = in { $time }
page-resend-ready = Sie können jetzt einen neuen Code anfordern.
page-resend-done = Wir haben einen neuen Code gesendet. Frühere Codes funktionieren nicht mehr.
page-resend-unsure = Wahrscheinlich wurde bereits ein neuer Code gesendet. Sehen Sie in Ihr Postfach.

page-password-title = Wählen Sie ein neues Passwort
page-password-lead = Mindestlänge: { $count } Zeichen. Gut geeignet sind ein paar Wörter ohne Zusammenhang, die Sie sonst nirgends verwenden.
page-password-account = Konto
page-password-label = Neues Passwort
page-password-show = Anzeigen
page-password-hide = Verbergen
page-password-show-label = Passwort anzeigen
page-password-hide-label = Passwort verbergen
page-password-shown = Ihr Passwort ist sichtbar.
page-password-hidden = Ihr Passwort ist verborgen.
page-password-submit = Passwort speichern
page-password-missing = Geben Sie ein neues Passwort ein
page-password-rejected = Dieses Passwort kann nicht verwendet werden
page-reason-too_short = Es ist zu kurz. Mindestlänge: { $count } Zeichen.
page-reason-too_long = Es ist zu lang. Höchstlänge: 256 Zeichen.
page-reason-too_common = Es gehört zu den Passwörtern, die zuerst ausprobiert werden.
page-reason-breached = Es steht auf einer Liste bekannt gewordener Passwörter. Wählen Sie eines, das Sie sonst nirgends verwenden.
page-reason-contains_address = Es ist Ihrer E-Mail-Adresse zu ähnlich.
page-reason-contains_service_name = Es ist dem Namen { $service } zu ähnlich.
page-reason-contains_profile = Es ist Ihrem Namen oder einer anderen Angabe in Ihrem Profil zu ähnlich.
page-reason-other = Wählen Sie ein anderes.

page-done-title = Ihr Passwort wurde geändert
page-done-lead = Melden Sie sich mit Ihrem neuen Passwort an. Wir haben Ihnen eine E-Mail gesendet, die die Änderung bestätigt.
page-unsure-title = Ihr Passwort wurde wahrscheinlich geändert
page-unsure-lead = Eine Antwort ging unterwegs verloren. Wenn eine E-Mail Ihnen sagt, dass Ihr Passwort geändert wurde, melden Sie sich mit dem neuen an. Wenn keine E-Mail kommt, beginnen Sie von vorn.
page-expired-title = Diese Wiederherstellung ist beendet
page-expired-lead = Sie hat zu lange gedauert, oder Ihr Passwort wurde bereits geändert. Beginnen Sie von vorn, um einen neuen Code zu erhalten.
page-link-title = Dieser Link funktioniert nicht mehr
page-link-lead = Jeder Link funktioniert einmal und nur kurze Zeit. Auch ein neuerer Code ersetzt ihn. Beginnen Sie von vorn, um einen neuen zu erhalten.
page-spent-title = Zu viele falsche Codes
page-spent-lead = Zu Ihrer Sicherheit werden hier keine Codes mehr angenommen. Beginnen Sie von vorn, um einen neuen zu erhalten.
page-spent-wait = Zu Ihrer Sicherheit werden für dieses Konto keine Codes mehr angenommen. Sie können es in { $time } noch einmal versuchen.
page-blocked-title = Dieses Konto ist gesperrt
page-blocked-lead = Sein Passwort kann hier nicht geändert werden. Wenden Sie sich an den Support von { $service }.
page-not-me-title = Waren Sie das nicht?
page-not-me-lead = Wenn Sie Ihr Passwort bei { $service } nicht geändert haben, sperren Sie Ihr Konto. Dann kann niemand ein neues Passwort setzen, bis der Support Ihnen hilft. Wenn Sie es waren, schließen Sie diese Seite.
page-not-me-submit = Mein Konto sperren
page-disowned-title = Ihr Konto ist gesperrt
page-disowned-lead = Wenden Sie sich an den Support von { $service }, um es zurückzubekommen. Wenn jemand anderes Ihre E-Mails gelesen haben könnte, ändern Sie jetzt das Passwort Ihres Postfachs.
page-not-me-over-title = Dieser Link funktioniert nicht mehr
page-not-me-over-lead = Er funktioniert sieben Tage lang nach der Änderung. Wenn Sie Ihr Passwort nicht geändert haben, wenden Sie sich an den Support von { $service }.

page-too-many = Es gab zu viele Anfragen.
page-unavailable = Der Dienst ist gerade nicht verfügbar. Versuchen Sie es noch einmal.
page-no-answer = Es kam keine Antwort. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.
page-unexpected = Ein Fehler ist aufgetreten. Versuchen Sie es noch einmal.
