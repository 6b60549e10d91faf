### Regain के हिन्दी टेक्स्ट। व्याख्या en.ftl में है।

direction = ltr

## ईमेल

mail-auth-subject = आपका { $service } सत्यापन कोड
mail-auth-title = पासवर्ड भूल गए?
mail-auth-lead-app = यह पुष्टि करने के लिए कि यह आप ही हैं, { $service } ऐप में यह कोड दर्ज करें। इसके बाद आप नया पासवर्ड चुन सकेंगे।
mail-auth-lead-website = यह पुष्टि करने के लिए कि यह आप ही हैं, { $service } वेबसाइट पर यह कोड दर्ज करें। इसके बाद आप नया पासवर्ड चुन सकेंगे।

mail-directory-subject = { $service } का पासवर्ड रीसेट करने के लिए आपका कोड
mail-directory-title = नया पासवर्ड चुनें
mail-directory-lead = आगे बढ़ने और अपने { $service } खाते के लिए नया पासवर्ड चुनने के लिए यह कोड दर्ज करें।

mail-code-preview = { $validFor } तक मान्य। इसे किसी को न बताएँ।
mail-code-valid = यह कोड { $validFor } तक मान्य है और केवल एक बार काम करता है।
mail-code-secret = यह कोड किसी को न बताएँ।
mail-code-secret-why = { $service } कभी भी फ़ोन या संदेश करके आपसे यह कोड नहीं माँगेगा।
mail-code-not-asked = अगर आपने इसका अनुरोध नहीं किया है, तो इस ईमेल को अनदेखा करें। आपका पासवर्ड नहीं बदलेगा।
mail-link-lead = आप कोड के बिना भी नया पासवर्ड चुन सकते हैं। यह लिंक उतने ही समय तक मान्य है और केवल एक बार काम करता है। इसे किसी को न दें।
mail-link-button = नया पासवर्ड चुनें

mail-changed-subject = आपका { $service } पासवर्ड बदल दिया गया है
mail-changed-title = आपका पासवर्ड बदल दिया गया है
mail-changed-preview = अगर यह आपने नहीं किया, तो तुरंत कदम उठाएँ।
mail-changed-lead = आपके { $service } खाते का पासवर्ड बदल दिया गया है। अगर यह आपने किया है, तो आपको कुछ करने की ज़रूरत नहीं है।
mail-changed-not-you = क्या यह आपने नहीं किया?
mail-changed-block = इससे पहले कि कोई आपके खाते का इस्तेमाल करे, उसे ब्लॉक करें: सात दिनों के भीतर यह लिंक खोलें और पुष्टि करें।
mail-changed-block-button = मेरा खाता ब्लॉक करें
mail-changed-reset-app = अपना पासवर्ड तुरंत रीसेट करें: { $service } ऐप खोलें और “पासवर्ड भूल गए” चुनें।
mail-changed-reset-website = अपना पासवर्ड तुरंत रीसेट करें: { $service } वेबसाइट खोलें और “पासवर्ड भूल गए” चुनें।
mail-changed-support = इसके बाद { $service } की सहायता टीम से संपर्क करें।
mail-changed-support-at = इसके बाद { $service } की सहायता टीम से संपर्क करें: { $contact }

mail-automatic = यह ईमेल अपने आप भेजा गया है। इसके जवाब नहीं पढ़े जाते।
mail-automatic-replies = यह ईमेल अपने आप भेजा गया है।

## अवधि

duration-seconds = { $count } सेकंड
duration-minutes = { $count } मिनट

## auth/v1 के संदेश

api-code-sent = अगर यह पता पंजीकृत है, तो कोड भेजा जा रहा है।
api-code-proven = कोड सही है। कृपया नया पासवर्ड चुनें।
api-password-set = आपका पासवर्ड बदल दिया गया है।
api-account-blocked = खाता अब ब्लॉक है। कृपया सहायता टीम से संपर्क करें।
api-password-required = पासवर्ड ज़रूरी है।
api-otp-invalid = कोड सही नहीं है।
api-otp-expired = कोड की समय सीमा समाप्त हो गई है। कृपया नया कोड माँगें।
api-token-invalid = टोकन मान्य नहीं है। कृपया पहले कोड सत्यापित करें।
api-user-blocked = यह खाता ब्लॉक है। कृपया सहायता टीम से संपर्क करें।
api-session-not-found = ऐसा कोई सत्र नहीं है।
api-session-expired = सत्र समाप्त हो गया है। कृपया फिर से शुरू करें।
api-password-rejected = यह पासवर्ड स्वीकार नहीं किया जा सकता।
api-attempts-exceeded = बहुत सारे गलत कोड।
api-too-many-requests = बहुत सारे अनुरोध। कृपया बाद में फिर से कोशिश करें।
api-unavailable = सेवा उपलब्ध नहीं है। कृपया फिर से कोशिश करें।
api-internal-error = हमारी ओर से कुछ गड़बड़ी हुई।

api-invalid-body = अनुरोध मान्य नहीं है
api-invalid-content-type = सामग्री का प्रकार मान्य नहीं है
api-invalid-email = ईमेल मान्य नहीं है
api-invalid-idempotency-key = आइडेम्पोटेंसी कुंजी मान्य नहीं है
api-invalid-method = अनुरोध की विधि मान्य नहीं है
api-invalid-otp = कोड मान्य नहीं है
api-invalid-password = पासवर्ड मान्य नहीं है
api-invalid-session-id = सत्र मान्य नहीं है
api-invalid-token = टोकन मान्य नहीं है

api-reason-too-short = इसमें कम से कम { $count } वर्ण होने चाहिए।
api-reason-too-long = इसमें अधिक से अधिक { $count } वर्ण हो सकते हैं।
api-reason-too-common = यह उन पासवर्डों में से है जिनका अनुमान सबसे पहले लगाया जाता है।
api-reason-breached = यह लीक हुए पासवर्डों की सूची में है; ऐसा पासवर्ड चुनें जिसे आप कहीं और इस्तेमाल नहीं करते।
api-reason-contains-address = यह आपके ईमेल पते से बहुत मिलता-जुलता है।
api-reason-contains-service-name = यह इस सेवा के नाम से बहुत मिलता-जुलता है।
api-reason-contains-profile = यह आपके नाम या आपकी प्रोफ़ाइल की किसी और जानकारी से बहुत मिलता-जुलता है।

## पासवर्ड वापस पाने का पेज

page-noscript = इस पेज के लिए JavaScript ज़रूरी है। उसे चालू करें, या पेज को किसी दूसरे ब्राउज़र में खोलें।
page-incomplete = यह पेज लोड नहीं हो सका। अपना कनेक्शन जाँचें और पेज को फिर से लोड करें।

page-step = चरण { $number } / { $count }
page-problem = एक समस्या है
page-problem-title = समस्या: { $title }
page-busy = कृपया प्रतीक्षा करें।
page-start-again = फिर से शुरू करें
page-sign-in = साइन इन करें
page-wait = आप { $time } बाद फिर से कोशिश कर सकते हैं।
page-wait-over = अब आप फिर से कोशिश कर सकते हैं।

page-address-title = अपना पासवर्ड रीसेट करें
page-address-lead = अपने { $service } खाते का ईमेल पता दर्ज करें। हम आपको एक कोड भेजेंगे।
page-address-label = ईमेल पता
page-address-submit = कोड भेजें
page-address-invalid = ईमेल पता दर्ज करें, जैसे name@example.com

page-code-title = अपना ईमेल देखें
page-code-lead = अगर { $email } किसी खाते से जुड़ा है, तो कोड वाला ईमेल भेजा जा रहा है। इसमें एक मिनट लग सकता है। स्पैम फ़ोल्डर भी देखें।
page-code-label = ईमेल में मिला कोड
page-code-hint = { $count } अंक
page-code-submit = आगे बढ़ें
page-code-other-address = दूसरा पता इस्तेमाल करें
page-code-malformed = ईमेल में मिला कोड दर्ज करें: { $count } अंक
page-code-wrong = यह कोड सही नहीं है। केवल सबसे नया कोड काम करता है।
page-code-expired = इस कोड की समय सीमा समाप्त हो गई है। नया कोड भेजें।
page-code-unsure = यह कोड काम नहीं करता, या किसी ऐसी कोशिश में इस्तेमाल हो चुका है जिसका जवाब नहीं पहुँचा। नया कोड भेजें।
page-code-replaced = आपके कोड की जगह एक नया कोड आ गया है। सबसे नया कोड दर्ज करें, या नया कोड भेजें।
page-resend = नया कोड भेजें
page-resend-wait = { $time } बाद
page-resend-ready = अब आप नया कोड भेज सकते हैं।
page-resend-done = हमने नया कोड भेजा है। पहले के कोड अब काम नहीं करते।
page-resend-unsure = शायद नया कोड पहले ही भेजा जा चुका है। अपना ईमेल देखें।

page-password-title = नया पासवर्ड चुनें
page-password-lead = न्यूनतम लंबाई: { $count } वर्ण। कुछ ऐसे असंबंधित शब्द अच्छे रहते हैं जिन्हें आप कहीं और इस्तेमाल नहीं करते।
page-password-account = खाता
page-password-label = नया पासवर्ड
page-password-show = दिखाएँ
page-password-hide = छिपाएँ
page-password-show-label = पासवर्ड दिखाएँ
page-password-hide-label = पासवर्ड छिपाएँ
page-password-shown = आपका पासवर्ड दिख रहा है।
page-password-hidden = आपका पासवर्ड छिपा है।
page-password-submit = पासवर्ड सेट करें
page-password-missing = नया पासवर्ड दर्ज करें
page-password-rejected = यह पासवर्ड इस्तेमाल नहीं किया जा सकता
page-reason-too_short = यह बहुत छोटा है। न्यूनतम लंबाई: { $count } वर्ण।
page-reason-too_long = यह बहुत लंबा है। अधिकतम लंबाई: 256 वर्ण।
page-reason-too_common = यह उन पासवर्डों में से है जिनका अनुमान सबसे पहले लगाया जाता है।
page-reason-breached = यह लीक हुए पासवर्डों की सूची में है। ऐसा पासवर्ड चुनें जिसे आप कहीं और इस्तेमाल नहीं करते।
page-reason-contains_address = यह आपके ईमेल पते से बहुत मिलता-जुलता है।
page-reason-contains_service_name = यह { $service } नाम से बहुत मिलता-जुलता है।
page-reason-contains_profile = यह आपके नाम या आपकी प्रोफ़ाइल की किसी और जानकारी से बहुत मिलता-जुलता है।
page-reason-other = दूसरा पासवर्ड चुनें।

page-done-title = आपका पासवर्ड बदल दिया गया है
page-done-lead = अपने नए पासवर्ड से साइन इन करें। हमने बदलाव की पुष्टि के लिए आपको ईमेल भेजा है।
page-unsure-title = आपका पासवर्ड शायद बदल दिया गया है
page-unsure-lead = एक जवाब रास्ते में खो गया। अगर आपको पासवर्ड बदले जाने का ईमेल मिले, तो नए पासवर्ड से साइन इन करें। अगर कोई ईमेल न आए, तो फिर से शुरू करें।
page-expired-title = यह प्रक्रिया समाप्त हो गई है
page-expired-lead = इसमें बहुत समय लग गया, या आपका पासवर्ड पहले ही सेट हो चुका है। नया कोड पाने के लिए फिर से शुरू करें।
page-link-title = यह लिंक अब काम नहीं करता
page-link-lead = हर लिंक केवल एक बार और थोड़े समय के लिए काम करता है। नया कोड भी उसकी जगह ले लेता है। नया लिंक पाने के लिए फिर से शुरू करें।
page-spent-title = बहुत सारे गलत कोड
page-spent-lead = आपकी सुरक्षा के लिए यहाँ और कोड स्वीकार नहीं किए जाते। नया कोड पाने के लिए फिर से शुरू करें।
page-spent-wait = आपकी सुरक्षा के लिए इस खाते के और कोड स्वीकार नहीं किए जाते। आप { $time } बाद फिर से कोशिश कर सकते हैं।
page-blocked-title = यह खाता ब्लॉक है
page-blocked-lead = इसका पासवर्ड यहाँ नहीं बदला जा सकता। { $service } की सहायता टीम से संपर्क करें।
page-not-me-title = क्या यह आप नहीं थे?
page-not-me-lead = अगर आपने { $service } पर अपना पासवर्ड नहीं बदला है, तो अपना खाता ब्लॉक करें। इसके बाद सहायता टीम की मदद मिलने तक कोई नया पासवर्ड नहीं रख सकता। अगर यह आप ही थे, तो यह पेज बंद कर दें।
page-not-me-submit = मेरा खाता ब्लॉक करें
page-disowned-title = आपका खाता ब्लॉक है
page-disowned-lead = इसे वापस पाने के लिए { $service } की सहायता टीम से संपर्क करें। अगर किसी और ने आपके मेल पढ़े हो सकते हैं, तो अपने मेलबॉक्स का पासवर्ड अभी बदलें।
page-not-me-over-title = यह लिंक अब काम नहीं करता
page-not-me-over-lead = यह बदलाव के बाद सात दिन तक काम करता है। अगर आपने अपना पासवर्ड नहीं बदला है, तो { $service } की सहायता टीम से संपर्क करें।

page-too-many = बहुत सारे अनुरोध आए।
page-unavailable = सेवा अभी उपलब्ध नहीं है। फिर से कोशिश करें।
page-no-answer = कोई जवाब नहीं आया। अपना कनेक्शन जाँचें और फिर से कोशिश करें।
page-unexpected = कुछ गड़बड़ी हुई। फिर से कोशिश करें।
