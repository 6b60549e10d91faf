### Los textos de Regain en español. Las explicaciones están en en.ftl.

direction = ltr

## Correos

mail-auth-subject = Su código de verificación de { $service }
mail-auth-title = ¿Olvidó su contraseña?
mail-auth-lead-app = Introduzca este código en la aplicación de { $service } para confirmar que es usted. Después podrá elegir una contraseña nueva.
mail-auth-lead-website = Introduzca este código en el sitio web de { $service } para confirmar que es usted. Después podrá elegir una contraseña nueva.

mail-directory-subject = Su código para restablecer la contraseña de { $service }
mail-directory-title = Elija una contraseña nueva
mail-directory-lead = Introduzca este código para continuar y elegir una contraseña nueva para su cuenta de { $service }.

mail-code-preview = Válido durante { $validFor }. No lo comparta con nadie.
mail-code-valid = Es válido durante { $validFor } y solo se puede usar una vez.
mail-code-secret = No comparta este código con nadie.
mail-code-secret-why = { $service } nunca le llamará ni le escribirá para pedírselo.
mail-code-not-asked = Si no lo ha solicitado, ignore este correo. Su contraseña no cambiará.
mail-link-lead = También puede elegir una contraseña nueva sin el código. Este enlace es válido durante el mismo tiempo y una sola vez. No se lo dé a nadie.
mail-link-button = Elegir una contraseña nueva

mail-changed-subject = Se cambió su contraseña de { $service }
mail-changed-title = Se cambió su contraseña
mail-changed-preview = Si no fue usted, actúe de inmediato.
mail-changed-lead = Se cambió la contraseña de su cuenta de { $service }. Si fue usted, no tiene que hacer nada.
mail-changed-not-you = ¿No fue usted?
mail-changed-block = Bloquee su cuenta antes de que alguien la use: abra este enlace en un plazo de siete días y confirme.
mail-changed-block-button = Bloquear mi cuenta
mail-changed-reset-app = Restablezca su contraseña de inmediato: abra la aplicación de { $service } y elija «Olvidé mi contraseña».
mail-changed-reset-website = Restablezca su contraseña de inmediato: abra el sitio web de { $service } y elija «Olvidé mi contraseña».
mail-changed-support = Después, póngase en contacto con la asistencia de { $service }.
mail-changed-support-at = Después, póngase en contacto con la asistencia de { $service }: { $contact }

mail-automatic = Este correo es automático. Nadie lee las respuestas.
mail-automatic-replies = Este correo es automático.

## Duraciones

duration-seconds = { $count ->
    [one] { $count } segundo
   *[other] { $count } segundos
}
duration-minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minutos
}

## Mensajes de auth/v1

api-code-sent = Si esta dirección está registrada, el código está en camino.
api-code-proven = El código es correcto. Elija una contraseña nueva.
api-password-set = Se cambió su contraseña.
api-account-blocked = La cuenta está bloqueada ahora. Póngase en contacto con la asistencia.
api-password-required = La contraseña es obligatoria.
api-otp-invalid = El código no es correcto.
api-otp-expired = El código ha caducado. Solicite uno nuevo.
api-token-invalid = El token no es válido. Verifique primero el código.
api-user-blocked = Esta cuenta está bloqueada. Póngase en contacto con la asistencia.
api-session-not-found = La sesión no existe.
api-session-expired = La sesión ha terminado. Empiece de nuevo.
api-password-rejected = Esta contraseña no se puede aceptar.
api-attempts-exceeded = Demasiados códigos incorrectos.
api-too-many-requests = Demasiadas solicitudes. Inténtelo de nuevo más tarde.
api-unavailable = El servicio no está disponible. Inténtelo de nuevo.
api-internal-error = Se produjo un error en nuestro sistema.

api-invalid-body = La solicitud no es válida
api-invalid-content-type = El tipo de contenido no es válido
api-invalid-email = El correo electrónico no es válido
api-invalid-idempotency-key = La clave de idempotencia no es válida
api-invalid-method = El método no es válido
api-invalid-otp = El código no es válido
api-invalid-password = La contraseña no es válida
api-invalid-session-id = La sesión no es válida
api-invalid-token = El token no es válido

api-reason-too-short = Debe tener al menos { $count } caracteres.
api-reason-too-long = Puede tener como máximo { $count } caracteres.
api-reason-too-common = Es una de las que se prueban primero.
api-reason-breached = Está en una lista de contraseñas filtradas; elija una que no use en ningún otro sitio.
api-reason-contains-address = Se parece demasiado a su correo electrónico.
api-reason-contains-service-name = Se parece demasiado al nombre de este servicio.
api-reason-contains-profile = Se parece demasiado a su nombre o a otro dato de su perfil.

## La página de recuperación

page-noscript = Esta página necesita JavaScript. Actívelo o abra la página en otro navegador.
page-incomplete = No se pudo cargar esta página. Compruebe su conexión y vuelva a cargarla.

page-step = Paso { $number } de { $count }
page-problem = Hay un problema
page-problem-title = Problema: { $title }
page-busy = Espere, por favor.
page-start-again = Empezar de nuevo
page-sign-in = Iniciar sesión
page-wait = Podrá intentarlo de nuevo en { $time }.
page-wait-over = Ya puede intentarlo de nuevo.

page-address-title = Restablecer la contraseña
page-address-lead = Introduzca el correo electrónico de su cuenta de { $service }. Le enviaremos un código.
page-address-label = Correo electrónico
page-address-submit = Enviar código
page-address-invalid = Introduzca un correo electrónico, por ejemplo nombre@example.com

page-code-title = Revise su correo
page-code-lead = Si { $email } pertenece a una cuenta, le llegará un correo con un código. Puede tardar un minuto. Mire también en el correo no deseado.
page-code-label = Código del correo
page-code-hint = { $count } dígitos
page-code-submit = Continuar
page-code-other-address = Usar otra dirección
page-code-malformed = Introduzca el código del correo: { $count } dígitos
page-code-wrong = Este código no es correcto. Solo funciona el más reciente.
page-code-expired = Este código ha caducado. Solicite uno nuevo.
page-code-unsure = Este código no funciona, o se usó en un intento cuya respuesta se perdió. Solicite uno nuevo.
page-code-replaced = Un código más reciente sustituyó al suyo. Introduzca el más reciente o solicite uno nuevo.
page-resend = Solicitar un código nuevo
page-resend-wait = en { $time }
page-resend-ready = Ya puede solicitar un código nuevo.
page-resend-done = Hemos enviado un código nuevo. Los anteriores ya no funcionan.
page-resend-unsure = Probablemente ya se envió un código nuevo. Revise su correo.

page-password-title = Elija una contraseña nueva
page-password-lead = Longitud mínima: { $count } caracteres. Unas cuantas palabras sin relación entre sí, que no use en ningún otro sitio, son una buena opción.
page-password-account = Cuenta
page-password-label = Contraseña nueva
page-password-show = Mostrar
page-password-hide = Ocultar
page-password-show-label = Mostrar la contraseña
page-password-hide-label = Ocultar la contraseña
page-password-shown = Su contraseña está visible.
page-password-hidden = Su contraseña está oculta.
page-password-submit = Guardar contraseña
page-password-missing = Introduzca una contraseña nueva
page-password-rejected = Esta contraseña no se puede usar
page-reason-too_short = Es demasiado corta. Longitud mínima: { $count } caracteres.
page-reason-too_long = Es demasiado larga. Longitud máxima: 256 caracteres.
page-reason-too_common = Es una de las contraseñas que se prueban primero.
page-reason-breached = Está en una lista de contraseñas filtradas. Elija una que no use en ningún otro sitio.
page-reason-contains_address = Se parece demasiado a su correo electrónico.
page-reason-contains_service_name = Se parece demasiado al nombre { $service }.
page-reason-contains_profile = Se parece demasiado a su nombre o a otro dato de su perfil.
page-reason-other = Elija otra.

page-done-title = Se cambió su contraseña
page-done-lead = Inicie sesión con su contraseña nueva. Le hemos enviado un correo que confirma el cambio.
page-unsure-title = Es probable que su contraseña se haya cambiado
page-unsure-lead = Se perdió una respuesta por el camino. Si recibe un correo que dice que su contraseña se cambió, inicie sesión con la nueva. Si no llega ninguno, empiece de nuevo.
page-expired-title = Esta recuperación ha terminado
page-expired-lead = Pasó demasiado tiempo, o su contraseña ya se cambió. Empiece de nuevo para recibir otro código.
page-link-title = Este enlace ya no funciona
page-link-lead = Cada enlace funciona una vez y solo por poco tiempo. Un código más reciente también lo sustituye. Empiece de nuevo para recibir otro.
page-spent-title = Demasiados códigos incorrectos
page-spent-lead = Por su seguridad, aquí ya no se aceptan más códigos. Empiece de nuevo para recibir otro.
page-spent-wait = Por su seguridad, ya no se aceptan más códigos para esta cuenta. Podrá intentarlo de nuevo en { $time }.
page-blocked-title = Esta cuenta está bloqueada
page-blocked-lead = Aquí no se puede cambiar su contraseña. Póngase en contacto con la asistencia de { $service }.
page-not-me-title = ¿No fue usted?
page-not-me-lead = Si no ha cambiado su contraseña en { $service }, bloquee su cuenta. Entonces nadie podrá establecer una contraseña nueva hasta que la asistencia le ayude. Si fue usted, cierre esta página.
page-not-me-submit = Bloquear mi cuenta
page-disowned-title = Su cuenta está bloqueada
page-disowned-lead = Póngase en contacto con la asistencia de { $service } para recuperarla. Si otra persona puede haber leído su correo, cambie ahora la contraseña de su buzón.
page-not-me-over-title = Este enlace ya no funciona
page-not-me-over-lead = Funciona durante siete días después del cambio. Si no ha cambiado su contraseña, póngase en contacto con la asistencia de { $service }.

page-too-many = Hubo demasiadas solicitudes.
page-unavailable = El servicio no está disponible en este momento. Inténtelo de nuevo.
page-no-answer = No hubo respuesta. Compruebe su conexión e inténtelo de nuevo.
page-unexpected = Se produjo un error. Inténtelo de nuevo.
