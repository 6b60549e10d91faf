### Os textos do Regain em português. As explicações estão em en.ftl.

direction = ltr

## E-mails

mail-auth-subject = Seu código de verificação { $service }
mail-auth-title = Esqueceu sua senha?
mail-auth-lead-app = Digite este código no aplicativo { $service } para confirmar que é você. Depois, você poderá escolher uma nova senha.
mail-auth-lead-website = Digite este código no site { $service } para confirmar que é você. Depois, você poderá escolher uma nova senha.

mail-directory-subject = Seu código para redefinir a senha da sua conta { $service }
mail-directory-title = Escolha uma nova senha
mail-directory-lead = Digite este código para continuar e escolher uma nova senha para sua conta { $service }.

mail-code-preview = Válido por { $validFor }. Não o compartilhe com ninguém.
mail-code-valid = Ele é válido por { $validFor } e só pode ser usado uma vez.
mail-code-secret = Não compartilhe este código com ninguém.
mail-code-secret-why = { $service } nunca vai ligar nem escrever para pedi-lo a você.
mail-code-not-asked = Se você não fez esta solicitação, ignore este e-mail. Sua senha continua a mesma.
mail-link-lead = Você também pode escolher uma nova senha sem o código. Este link vale pelo mesmo tempo e uma única vez. Não o passe a ninguém.
mail-link-button = Escolher uma nova senha

mail-changed-subject = A senha da sua conta { $service } foi alterada
mail-changed-title = Sua senha foi alterada
mail-changed-preview = Se não foi você, aja imediatamente.
mail-changed-lead = A senha da sua conta { $service } foi alterada. Se foi você, não é preciso fazer nada.
mail-changed-not-you = Não foi você?
mail-changed-block = Bloqueie sua conta antes que alguém a use: abra este link em até sete dias e confirme.
mail-changed-block-button = Bloquear minha conta
mail-changed-reset-app = Redefina sua senha imediatamente: abra o aplicativo { $service } e escolha “Esqueci minha senha”.
mail-changed-reset-website = Redefina sua senha imediatamente: abra o site { $service } e escolha “Esqueci minha senha”.
mail-changed-support = Depois, entre em contato com o suporte { $service }.
mail-changed-support-at = Depois, entre em contato com o suporte { $service }: { $contact }

mail-automatic = Este é um e-mail automático. As respostas não são lidas.
mail-automatic-replies = Este é um e-mail automático.

## Durações

duration-seconds = { $count ->
    [one] { $count } segundo
   *[other] { $count } segundos
}
duration-minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minutos
}

## Mensagens do auth/v1

api-code-sent = Se este endereço estiver cadastrado, um código está a caminho.
api-code-proven = O código está correto. Escolha uma nova senha.
api-password-set = Sua senha foi alterada.
api-account-blocked = A conta está bloqueada agora. Entre em contato com o suporte.
api-password-required = A senha é obrigatória.
api-otp-invalid = O código não está correto.
api-otp-expired = O código expirou. Solicite um novo.
api-token-invalid = O token não é válido. Verifique o código primeiro.
api-user-blocked = Esta conta está bloqueada. Entre em contato com o suporte.
api-session-not-found = Esta sessão não existe.
api-session-expired = A sessão terminou. Comece de novo.
api-password-rejected = Esta senha não pode ser aceita.
api-attempts-exceeded = Códigos incorretos demais.
api-too-many-requests = Solicitações demais. Tente novamente mais tarde.
api-unavailable = O serviço não está disponível. Tente novamente.
api-internal-error = Ocorreu um erro do nosso lado.

api-invalid-body = A solicitação não é válida
api-invalid-content-type = O tipo de conteúdo não é válido
api-invalid-email = O e-mail não é válido
api-invalid-idempotency-key = A chave de idempotência não é válida
api-invalid-method = O método não é válido
api-invalid-otp = O código não é válido
api-invalid-password = A senha não é válida
api-invalid-session-id = A sessão não é válida
api-invalid-token = O token não é válido

api-reason-too-short = Ela precisa ter pelo menos { $count } caracteres.
api-reason-too-long = Ela pode ter no máximo { $count } caracteres.
api-reason-too-common = Ela é uma das que são adivinhadas primeiro.
api-reason-breached = Ela está em uma lista de senhas vazadas; escolha uma que você não use em nenhum outro lugar.
api-reason-contains-address = Ela se parece demais com seu e-mail.
api-reason-contains-service-name = Ela se parece demais com o nome deste serviço.
api-reason-contains-profile = Ela se parece demais com seu nome ou com outro dado do seu perfil.

## A página de recuperação

page-noscript = Esta página precisa de JavaScript. Ative-o ou abra a página em outro navegador.
page-incomplete = Não foi possível carregar esta página. Verifique sua conexão e recarregue-a.

page-step = Etapa { $number } de { $count }
page-problem = Há um problema
page-problem-title = Problema: { $title }
page-busy = Aguarde, por favor.
page-start-again = Começar de novo
page-sign-in = Entrar
page-wait = Você poderá tentar novamente em { $time }.
page-wait-over = Você já pode tentar novamente.

page-address-title = Redefinir sua senha
page-address-lead = Digite o e-mail da sua conta { $service }. Vamos enviar um código a você.
page-address-label = E-mail
page-address-submit = Enviar código
page-address-invalid = Digite um e-mail, como nome@example.com

page-code-title = Verifique seu e-mail
page-code-lead = Se { $email } pertencer a uma conta, um e-mail com um código está a caminho. Isso pode levar um minuto. Procure também no spam.
page-code-label = Código do e-mail
page-code-hint = { $count } dígitos
page-code-submit = Continuar
page-code-other-address = Usar outro endereço
page-code-malformed = Digite o código do e-mail: { $count } dígitos
page-code-wrong = Este código não está correto. Só o mais recente funciona.
page-code-expired = Este código expirou. Solicite um novo.
page-code-unsure = Este código não funciona, ou foi usado em uma tentativa cuja resposta se perdeu. Solicite um novo.
page-code-replaced = Seu código foi substituído por um mais recente. Digite o mais recente ou solicite um novo.
page-resend = Solicitar um novo código
page-resend-wait = em { $time }
page-resend-ready = Você já pode solicitar um novo código.
page-resend-done = Enviamos um novo código. Os anteriores não funcionam mais.
page-resend-unsure = Provavelmente um novo código já foi enviado. Verifique seu e-mail.

page-password-title = Escolha uma nova senha
page-password-lead = Tamanho mínimo: { $count } caracteres. Algumas palavras sem relação entre si, que você não use em nenhum outro lugar, funcionam bem.
page-password-account = Conta
page-password-label = Nova senha
page-password-show = Mostrar
page-password-hide = Ocultar
page-password-show-label = Mostrar a senha
page-password-hide-label = Ocultar a senha
page-password-shown = Sua senha está visível.
page-password-hidden = Sua senha está oculta.
page-password-submit = Salvar senha
page-password-missing = Digite uma nova senha
page-password-rejected = Esta senha não pode ser usada
page-reason-too_short = Ela é curta demais. Tamanho mínimo: { $count } caracteres.
page-reason-too_long = Ela é longa demais. Tamanho máximo: 256 caracteres.
page-reason-too_common = Ela é uma das senhas que são adivinhadas primeiro.
page-reason-breached = Ela está em uma lista de senhas vazadas. Escolha uma que você não use em nenhum outro lugar.
page-reason-contains_address = Ela se parece demais com seu e-mail.
page-reason-contains_service_name = Ela se parece demais com o nome { $service }.
page-reason-contains_profile = Ela se parece demais com seu nome ou com outro dado do seu perfil.
page-reason-other = Escolha outra.

page-done-title = Sua senha foi alterada
page-done-lead = Entre com sua nova senha. Enviamos a você um e-mail que confirma a alteração.
page-unsure-title = Sua senha provavelmente foi alterada
page-unsure-lead = Uma resposta se perdeu no caminho. Se você receber um e-mail dizendo que sua senha foi alterada, entre com a nova. Se nenhum e-mail chegar, comece de novo.
page-expired-title = Esta recuperação terminou
page-expired-lead = Ela demorou demais, ou sua senha já foi alterada. Comece de novo para receber um novo código.
page-link-title = Este link não funciona mais
page-link-lead = Cada link funciona uma vez e só por pouco tempo. Um código mais recente também o substitui. Comece de novo para receber outro.
page-spent-title = Códigos incorretos demais
page-spent-lead = Para sua segurança, nenhum outro código é aceito aqui. Comece de novo para receber outro.
page-spent-wait = Para sua segurança, nenhum outro código é aceito para esta conta. Você poderá tentar novamente em { $time }.
page-blocked-title = Esta conta está bloqueada
page-blocked-lead = A senha dela não pode ser alterada aqui. Entre em contato com o suporte { $service }.
page-not-me-title = Não foi você?
page-not-me-lead = Se você não alterou sua senha em { $service }, bloqueie sua conta. Assim ninguém poderá definir uma nova senha até que o suporte ajude você. Se foi você, feche esta página.
page-not-me-submit = Bloquear minha conta
page-disowned-title = Sua conta está bloqueada
page-disowned-lead = Entre em contato com o suporte { $service } para recuperá-la. Se outra pessoa pode ter lido seus e-mails, altere agora a senha da sua caixa de correio.
page-not-me-over-title = Este link não funciona mais
page-not-me-over-lead = Ele funciona por sete dias após a alteração. Se você não alterou sua senha, entre em contato com o suporte { $service }.

page-too-many = Houve solicitações demais.
page-unavailable = O serviço não está disponível no momento. Tente novamente.
page-no-answer = Nenhuma resposta chegou. Verifique sua conexão e tente novamente.
page-unexpected = Ocorreu um erro. Tente novamente.
