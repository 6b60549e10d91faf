### نصوص Regain بالعربية. الشرح في الملف en.ftl.

direction = rtl

## الرسائل

mail-auth-subject = رمز التحقق الخاص بك في { $service }
mail-auth-title = هل نسيت كلمة المرور؟
mail-auth-lead-app = أدخل هذا الرمز في تطبيق { $service } لنتأكد من هويتك، ثم يمكنك اختيار كلمة مرور جديدة.
mail-auth-lead-website = أدخل هذا الرمز في موقع { $service } لنتأكد من هويتك، ثم يمكنك اختيار كلمة مرور جديدة.

mail-directory-subject = رمز إعادة تعيين كلمة المرور في { $service }
mail-directory-title = اختر كلمة مرور جديدة
mail-directory-lead = أدخل هذا الرمز للمتابعة واختيار كلمة مرور جديدة لحسابك في { $service }.

mail-code-preview = صالح لمدة { $validFor }. لا تُطلع عليه أحدًا.
mail-code-valid = هذا الرمز صالح لمدة { $validFor } ويُستخدم مرة واحدة.
mail-code-secret = لا تشارك هذا الرمز مع أي شخص.
mail-code-secret-why = لن يتصل بك { $service } أو يراسلك أبدًا ليطلبه منك.
mail-code-not-asked = إذا لم تطلب ذلك، فتجاهل هذه الرسالة. ستبقى كلمة المرور كما هي.
mail-link-lead = أو اختر كلمة مرور جديدة دون الرمز. يعمل هذا الرابط خلال المدة نفسها ومرة واحدة. لا تعطه لأحد.
mail-link-button = اختيار كلمة مرور جديدة

mail-changed-subject = تم تغيير كلمة المرور في { $service }
mail-changed-title = تم تغيير كلمة المرور
mail-changed-preview = إذا لم تغيّرها بنفسك، فتصرّف فورًا.
mail-changed-lead = تم تغيير كلمة المرور لحسابك في { $service }. إذا كنت أنت من غيّرها، فليس عليك فعل شيء.
mail-changed-not-you = لم تغيّرها بنفسك؟
mail-changed-block = احظر حسابك قبل أن يستخدمه غيرك: افتح هذا الرابط خلال سبعة أيام وأكّد الحظر.
mail-changed-block-button = حظر حسابي
mail-changed-reset-app = أعد تعيين كلمة المرور فورًا: افتح تطبيق { $service } واختر «نسيت كلمة المرور».
mail-changed-reset-website = أعد تعيين كلمة المرور فورًا: افتح موقع { $service } واختر «نسيت كلمة المرور».
mail-changed-support = ثم تواصل مع دعم { $service }.
mail-changed-support-at = ثم تواصل مع دعم { $service }: { $contact }

mail-automatic = هذه رسالة آلية، ولا تُقرأ الردود عليها.
mail-automatic-replies = هذه رسالة آلية.

## المُدد

duration-seconds = { $count ->
    [one] ثانية واحدة
    [two] ثانيتين
    [few] { $count } ثوانٍ
   *[other] { $count } ثانية
}
duration-minutes = { $count ->
    [one] دقيقة واحدة
    [two] دقيقتين
    [few] { $count } دقائق
   *[other] { $count } دقيقة
}

## رسائل auth/v1

api-code-sent = إذا كان هذا العنوان مسجلًا لدينا، فالرمز في طريقه إليك.
api-code-proven = الرمز صحيح. يُرجى اختيار كلمة مرور جديدة.
api-password-set = تم تغيير كلمة المرور.
api-account-blocked = الحساب محظور الآن. يُرجى التواصل مع الدعم.
api-password-required = كلمة المرور مطلوبة.
api-otp-invalid = الرمز غير صحيح.
api-otp-expired = انتهت صلاحية الرمز. يُرجى طلب رمز جديد.
api-token-invalid = رمز الإذن غير صالح. يُرجى التحقق من الرمز أولًا.
api-user-blocked = هذا الحساب محظور. يُرجى التواصل مع الدعم.
api-session-not-found = لا توجد جلسة كهذه.
api-session-expired = انتهت الجلسة. يُرجى البدء من جديد.
api-password-rejected = لا يمكن قبول كلمة المرور هذه.
api-attempts-exceeded = عدد كبير من الرموز الخاطئة.
api-too-many-requests = عدد كبير من الطلبات. يُرجى المحاولة لاحقًا.
api-unavailable = الخدمة غير متاحة حاليًا. يُرجى المحاولة مجددًا.
api-internal-error = حدث خطأ من جانبنا.

api-invalid-body = الطلب غير صالح
api-invalid-content-type = نوع المحتوى غير صالح
api-invalid-email = البريد الإلكتروني غير صالح
api-invalid-idempotency-key = مفتاح منع التكرار غير صالح
api-invalid-method = طريقة الطلب غير صالحة
api-invalid-otp = رمز التحقق غير صالح
api-invalid-password = كلمة المرور غير صالحة
api-invalid-session-id = الجلسة غير صالحة
api-invalid-token = رمز الإذن غير صالح

api-reason-too-short = الحد الأدنى لعدد الأحرف: { $count }.
api-reason-too-long = الحد الأقصى لعدد الأحرف: { $count }.
api-reason-too-common = إنها من كلمات المرور التي تُخمَّن أولًا.
api-reason-breached = إنها ضمن قائمة كلمات مرور مسرّبة؛ اختر كلمة لا تستخدمها في مكان آخر.
api-reason-contains-address = إنها قريبة جدًا من بريدك الإلكتروني.
api-reason-contains-service-name = إنها قريبة جدًا من اسم هذه الخدمة.
api-reason-contains-profile = إنها قريبة جدًا من اسمك أو من معلومة أخرى في ملفك الشخصي.

## صفحة استعادة كلمة المرور

page-noscript = تحتاج هذه الصفحة إلى JavaScript. فعّله، أو افتح الصفحة في متصفح آخر.
page-incomplete = تعذّر تحميل هذه الصفحة. تحقق من اتصالك، ثم أعد تحميلها.

page-step = الخطوة { $number } من { $count }
page-problem = هناك مشكلة
page-problem-title = مشكلة: { $title }
page-busy = يرجى الانتظار.
page-start-again = البدء من جديد
page-sign-in = تسجيل الدخول
page-wait = يمكنك المحاولة مجددًا بعد { $time }.
page-wait-over = يمكنك المحاولة مجددًا الآن.

page-address-title = إعادة تعيين كلمة المرور
page-address-lead = أدخل البريد الإلكتروني لحسابك في { $service }، وسنرسل إليك رمزًا.
page-address-label = البريد الإلكتروني
page-address-submit = إرسال الرمز
page-address-invalid = أدخل بريدًا إلكترونيًا صالحًا، مثل name@example.com

page-code-title = تحقق من بريدك
page-code-lead = إذا كان { $email } مسجلًا لدينا، فستصلك رسالة تحتوي على رمز. قد يستغرق ذلك دقيقة. تحقق أيضًا من البريد غير المرغوب فيه.
page-code-label = الرمز الوارد في الرسالة
page-code-hint = عدد الأرقام: { $count }
page-code-submit = متابعة
page-code-other-address = استخدام بريد آخر
page-code-malformed = أدخل الرمز الوارد في الرسالة. عدد الأرقام: { $count }
page-code-wrong = هذا الرمز غير صحيح. أحدث رمز فقط هو الصالح.
page-code-expired = انتهت صلاحية هذا الرمز. أرسل رمزًا جديدًا.
page-code-unsure = هذا الرمز غير صالح، أو استُخدم في محاولة لم يصل ردها. أرسل رمزًا جديدًا.
page-code-replaced = حلّ رمز أحدث محل رمزك. أدخل أحدث رمز، أو أرسل رمزًا جديدًا.
page-resend = إرسال رمز جديد
page-resend-wait = بعد { $time }
page-resend-ready = يمكنك إرسال رمز جديد الآن.
page-resend-done = أرسلنا رمزًا جديدًا. لم تعد الرموز السابقة صالحة.
page-resend-unsure = يُحتمل أن رمزًا جديدًا قد أُرسل. تحقق من بريدك.

page-password-title = اختر كلمة مرور جديدة
page-password-lead = الحد الأدنى لعدد الأحرف: { $count }. من الجيد اختيار عدة كلمات لا رابط بينها ولا تستخدمها في مكان آخر.
page-password-account = الحساب
page-password-label = كلمة المرور الجديدة
page-password-show = إظهار
page-password-hide = إخفاء
page-password-show-label = إظهار كلمة المرور
page-password-hide-label = إخفاء كلمة المرور
page-password-shown = كلمة المرور ظاهرة.
page-password-hidden = كلمة المرور مخفية.
page-password-submit = حفظ كلمة المرور
page-password-missing = أدخل كلمة مرور جديدة
page-password-rejected = لا يمكن استخدام كلمة المرور هذه
page-reason-too_short = إنها قصيرة جدًا. الحد الأدنى لعدد الأحرف: { $count }.
page-reason-too_long = إنها طويلة جدًا. الحد الأقصى لعدد الأحرف: 256.
page-reason-too_common = إنها من كلمات المرور التي تُخمَّن أولًا.
page-reason-breached = إنها ضمن قائمة كلمات مرور مسرّبة. اختر كلمة لا تستخدمها في مكان آخر.
page-reason-contains_address = إنها قريبة جدًا من بريدك الإلكتروني.
page-reason-contains_service_name = إنها قريبة جدًا من اسم { $service }.
page-reason-contains_profile = إنها قريبة جدًا من اسمك أو من معلومة أخرى في ملفك الشخصي.
page-reason-other = اختر كلمة أخرى.

page-done-title = تم تغيير كلمة المرور
page-done-lead = سجّل الدخول بكلمة المرور الجديدة. أرسلنا إليك رسالة تؤكد التغيير.
page-unsure-title = يُحتمل أن كلمة المرور قد تغيّرت
page-unsure-lead = ضاع أحد الردود في الطريق. إذا وصلتك رسالة تفيد بتغيير كلمة المرور، فسجّل الدخول بالكلمة الجديدة. وإن لم تصلك رسالة، فابدأ من جديد.
page-expired-title = انتهت عملية الاستعادة هذه
page-expired-lead = استغرقت وقتًا طويلًا، أو أن كلمة المرور قد عُيّنت بالفعل. ابدأ من جديد للحصول على رمز جديد.
page-link-title = لم يعد هذا الرابط صالحًا
page-link-lead = يعمل كل رابط مرة واحدة ولفترة قصيرة، ويحل محله أي رمز أحدث. ابدأ من جديد للحصول على رابط جديد.
page-spent-title = عدد كبير من الرموز الخاطئة
page-spent-lead = حفاظًا على أمانك، لن تُقبل رموز أخرى هنا. ابدأ من جديد للحصول على رمز جديد.
page-spent-wait = حفاظًا على أمانك، لن تُقبل رموز أخرى لهذا الحساب. يمكنك المحاولة مجددًا بعد { $time }.
page-blocked-title = هذا الحساب محظور
page-blocked-lead = لا يمكن تغيير كلمة مروره هنا. تواصل مع دعم { $service }.
page-not-me-title = ألم تكن أنت؟
page-not-me-lead = إذا لم تغيّر كلمة مرورك في { $service }، فاحظر حسابك. لن يتمكن أحد بعد ذلك من تعيين كلمة مرور جديدة حتى يساعدك الدعم. إذا كنت أنت من غيّرها، فأغلق هذه الصفحة.
page-not-me-submit = حظر حسابي
page-disowned-title = حسابك محظور
page-disowned-lead = تواصل مع دعم { $service } لاستعادته. إذا كان من الممكن أن شخصًا آخر قرأ بريدك، فغيّر كلمة مرور بريدك الآن.
page-not-me-over-title = لم يعد هذا الرابط صالحًا
page-not-me-over-lead = يعمل الرابط سبعة أيام بعد التغيير. إذا لم تغيّر كلمة مرورك، فتواصل مع دعم { $service }.

page-too-many = كان عدد الطلبات كبيرًا جدًا.
page-unavailable = الخدمة غير متاحة حاليًا. حاول مجددًا.
page-no-answer = لم يصل أي رد. تحقق من اتصالك وحاول مجددًا.
page-unexpected = حدث خطأ ما. حاول مجددًا.
