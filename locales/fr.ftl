### Les textes de Regain en français. Les explications se trouvent dans en.ftl.

direction = ltr

## E-mails

mail-auth-subject = Votre code de vérification { $service }
mail-auth-title = Mot de passe oublié ?
mail-auth-lead-app = Saisissez ce code dans l’application { $service } pour confirmer que c’est bien vous. Vous pourrez ensuite choisir un nouveau mot de passe.
mail-auth-lead-website = Saisissez ce code sur le site { $service } pour confirmer que c’est bien vous. Vous pourrez ensuite choisir un nouveau mot de passe.

mail-directory-subject = Votre code pour réinitialiser le mot de passe { $service }
mail-directory-title = Choisissez un nouveau mot de passe
mail-directory-lead = Saisissez ce code pour continuer et choisir un nouveau mot de passe pour votre compte { $service }.

mail-code-preview = Valable { $validFor }. Ne le communiquez à personne.
mail-code-valid = Il est valable { $validFor } et ne peut être utilisé qu’une fois.
mail-code-secret = Ne communiquez ce code à personne.
mail-code-secret-why = { $service } ne vous appellera et ne vous écrira jamais pour vous le demander.
mail-code-not-asked = Si vous n’avez rien demandé, ignorez cet e-mail. Votre mot de passe reste inchangé.
mail-link-lead = Vous pouvez aussi choisir un nouveau mot de passe sans le code. Ce lien est valable aussi longtemps et une seule fois. Ne le transmettez à personne.
mail-link-button = Choisir un nouveau mot de passe

mail-changed-subject = Votre mot de passe { $service } a été modifié
mail-changed-title = Votre mot de passe a été modifié
mail-changed-preview = Si ce n’était pas vous, agissez immédiatement.
mail-changed-lead = Le mot de passe de votre compte { $service } a été modifié. Si c’était vous, vous n’avez rien à faire.
mail-changed-not-you = Ce n’était pas vous ?
mail-changed-block = Bloquez votre compte avant que quelqu’un ne l’utilise : ouvrez ce lien dans les sept jours et confirmez.
mail-changed-block-button = Bloquer mon compte
mail-changed-reset-app = Réinitialisez immédiatement votre mot de passe : ouvrez l’application { $service } et choisissez « Mot de passe oublié ».
mail-changed-reset-website = Réinitialisez immédiatement votre mot de passe : ouvrez le site { $service } et choisissez « Mot de passe oublié ».
mail-changed-support = Contactez ensuite l’assistance { $service }.
mail-changed-support-at = Contactez ensuite l’assistance { $service } : { $contact }

mail-automatic = Cet e-mail est automatique. Les réponses ne sont pas lues.
mail-automatic-replies = Cet e-mail est automatique.

## Durées

duration-seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
}
duration-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}

## Messages d’auth/v1

api-code-sent = Si cette adresse est enregistrée, un code est en route.
api-code-proven = Le code est correct. Veuillez choisir un nouveau mot de passe.
api-password-set = Votre mot de passe a été modifié.
api-account-blocked = Le compte est maintenant bloqué. Veuillez contacter l’assistance.
api-password-required = Un mot de passe est requis.
api-otp-invalid = Le code est incorrect.
api-otp-expired = Le code a expiré. Veuillez en demander un nouveau.
api-token-invalid = Le jeton n’est pas valide. Veuillez d’abord vérifier le code.
api-user-blocked = Ce compte est bloqué. Veuillez contacter l’assistance.
api-session-not-found = Cette session n’existe pas.
api-session-expired = La session est terminée. Veuillez recommencer.
api-password-rejected = Ce mot de passe ne peut pas être accepté.
api-attempts-exceeded = Trop de codes incorrects.
api-too-many-requests = Trop de demandes. Veuillez réessayer plus tard.
api-unavailable = Le service est indisponible. Veuillez réessayer.
api-internal-error = Une erreur s’est produite de notre côté.

api-invalid-body = La requête n’est pas valide
api-invalid-content-type = Le type de contenu n’est pas valide
api-invalid-email = L’adresse e-mail n’est pas valide
api-invalid-idempotency-key = La clé d’idempotence n’est pas valide
api-invalid-method = La méthode n’est pas valide
api-invalid-otp = Le code n’est pas valide
api-invalid-password = Le mot de passe n’est pas valide
api-invalid-session-id = La session n’est pas valide
api-invalid-token = Le jeton n’est pas valide

api-reason-too-short = Il doit contenir au moins { $count } caractères.
api-reason-too-long = Il peut contenir au plus { $count } caractères.
api-reason-too-common = Il fait partie de ceux que l’on devine en premier.
api-reason-breached = Il figure dans une liste de mots de passe divulgués ; choisissez-en un que vous n’utilisez nulle part ailleurs.
api-reason-contains-address = Il ressemble trop à votre adresse e-mail.
api-reason-contains-service-name = Il ressemble trop au nom de ce service.
api-reason-contains-profile = Il ressemble trop à votre nom ou à une autre donnée de votre profil.

## La page de récupération

page-noscript = Cette page a besoin de JavaScript. Activez-le ou ouvrez la page dans un autre navigateur.
page-incomplete = Cette page n’a pas pu être chargée. Vérifiez votre connexion, puis rechargez-la.

page-step = Étape { $number } sur { $count }
page-problem = Il y a un problème
page-problem-title = Problème : { $title }
page-busy = Veuillez patienter.
page-start-again = Recommencer
page-sign-in = Se connecter
page-wait = Vous pourrez réessayer dans { $time }.
page-wait-over = Vous pouvez maintenant réessayer.

page-address-title = Réinitialiser votre mot de passe
page-address-lead = Saisissez l’adresse e-mail de votre compte { $service }. Nous vous enverrons un code.
page-address-label = Adresse e-mail
page-address-submit = Envoyer le code
page-address-invalid = Saisissez une adresse e-mail, par exemple nom@example.com

page-code-title = Consultez vos e-mails
page-code-lead = Si { $email } appartient à un compte, un e-mail contenant un code est en route. Cela peut prendre une minute. Regardez aussi parmi les indésirables.
page-code-label = Code reçu par e-mail
page-code-hint = { $count } chiffres
page-code-submit = Continuer
page-code-other-address = Utiliser une autre adresse
page-code-malformed = Saisissez le code reçu par e-mail : { $count } chiffres
page-code-wrong = Ce code est incorrect. Seul le plus récent fonctionne.
page-code-expired = Ce code a expiré. Demandez-en un nouveau.
page-code-unsure = Ce code ne fonctionne pas, ou a été utilisé lors d’une tentative dont la réponse s’est perdue. Demandez-en un nouveau.
page-code-replaced = Un code plus récent a remplacé le vôtre. Saisissez le plus récent ou demandez-en un nouveau.
page-resend = Demander un nouveau code
page-resend-wait = dans { $time }
page-resend-ready = Vous pouvez maintenant demander un nouveau code.
page-resend-done = Nous avons envoyé un nouveau code. Les précédents ne fonctionnent plus.
page-resend-unsure = Un nouveau code a probablement déjà été envoyé. Consultez vos e-mails.

page-password-title = Choisissez un nouveau mot de passe
page-password-lead = Longueur minimale : { $count } caractères. Quelques mots sans lien entre eux, que vous n’utilisez nulle part ailleurs, conviennent bien.
page-password-account = Compte
page-password-label = Nouveau mot de passe
page-password-show = Afficher
page-password-hide = Masquer
page-password-show-label = Afficher le mot de passe
page-password-hide-label = Masquer le mot de passe
page-password-shown = Votre mot de passe est visible.
page-password-hidden = Votre mot de passe est masqué.
page-password-submit = Enregistrer le mot de passe
page-password-missing = Saisissez un nouveau mot de passe
page-password-rejected = Ce mot de passe ne peut pas être utilisé
page-reason-too_short = Il est trop court. Longueur minimale : { $count } caractères.
page-reason-too_long = Il est trop long. Longueur maximale : 256 caractères.
page-reason-too_common = Il fait partie des mots de passe que l’on devine en premier.
page-reason-breached = Il figure dans une liste de mots de passe divulgués. Choisissez-en un que vous n’utilisez nulle part ailleurs.
page-reason-contains_address = Il ressemble trop à votre adresse e-mail.
page-reason-contains_service_name = Il ressemble trop au nom { $service }.
page-reason-contains_profile = Il ressemble trop à votre nom ou à une autre donnée de votre profil.
page-reason-other = Choisissez-en un autre.

page-done-title = Votre mot de passe a été modifié
page-done-lead = Connectez-vous avec votre nouveau mot de passe. Nous vous avons envoyé un e-mail qui confirme la modification.
page-unsure-title = Votre mot de passe a probablement été modifié
page-unsure-lead = Une réponse s’est perdue en route. Si un e-mail vous indique que votre mot de passe a été modifié, connectez-vous avec le nouveau. Si aucun e-mail n’arrive, recommencez.
page-expired-title = Cette récupération est terminée
page-expired-lead = Elle a duré trop longtemps, ou votre mot de passe a déjà été modifié. Recommencez pour recevoir un nouveau code.
page-link-title = Ce lien ne fonctionne plus
page-link-lead = Chaque lien fonctionne une fois, et peu de temps. Un code plus récent le remplace aussi. Recommencez pour en recevoir un nouveau.
page-spent-title = Trop de codes incorrects
page-spent-lead = Pour votre sécurité, plus aucun code n’est accepté ici. Recommencez pour en recevoir un nouveau.
page-spent-wait = Pour votre sécurité, plus aucun code n’est accepté pour ce compte. Vous pourrez réessayer dans { $time }.
page-blocked-title = Ce compte est bloqué
page-blocked-lead = Son mot de passe ne peut pas être modifié ici. Contactez l’assistance de { $service }.
page-not-me-title = Ce n’était pas vous ?
page-not-me-lead = Si vous n’avez pas changé votre mot de passe chez { $service }, bloquez votre compte. Personne ne pourra alors définir un nouveau mot de passe avant que l’assistance ne vous aide. Si c’était vous, fermez cette page.
page-not-me-submit = Bloquer mon compte
page-disowned-title = Votre compte est bloqué
page-disowned-lead = Contactez l’assistance de { $service } pour le récupérer. Si quelqu’un d’autre a pu lire vos e-mails, changez maintenant le mot de passe de votre messagerie.
page-not-me-over-title = Ce lien ne fonctionne plus
page-not-me-over-lead = Il fonctionne pendant sept jours après le changement. Si vous n’avez pas changé votre mot de passe, contactez l’assistance de { $service }.

page-too-many = Il y a eu trop de demandes.
page-unavailable = Le service est momentanément indisponible. Réessayez.
page-no-answer = Aucune réponse n’est arrivée. Vérifiez votre connexion et réessayez.
page-unexpected = Une erreur s’est produite. Réessayez.
