### Teks Regain dalam bahasa Indonesia. Lihat en.ftl untuk penjelasan.

direction = ltr

## Email

mail-auth-subject = Kode verifikasi { $service } Anda
mail-auth-title = Lupa kata sandi?
mail-auth-lead-app = Masukkan kode ini di aplikasi { $service } untuk memastikan bahwa ini benar Anda. Setelah itu, Anda dapat membuat kata sandi baru.
mail-auth-lead-website = Masukkan kode ini di situs web { $service } untuk memastikan bahwa ini benar Anda. Setelah itu, Anda dapat membuat kata sandi baru.

mail-directory-subject = Kode atur ulang kata sandi { $service } Anda
mail-directory-title = Buat kata sandi baru
mail-directory-lead = Masukkan kode ini untuk melanjutkan dan membuat kata sandi baru bagi akun { $service } Anda.

mail-code-preview = Berlaku selama { $validFor }. Jangan berikan kepada siapa pun.
mail-code-valid = Kode ini berlaku selama { $validFor } dan hanya dapat dipakai satu kali.
mail-code-secret = Jangan berikan kode ini kepada siapa pun.
mail-code-secret-why = { $service } tidak akan pernah menelepon atau mengirim pesan untuk memintanya.
mail-code-not-asked = Jika Anda tidak meminta kode ini, abaikan saja email ini. Kata sandi Anda tidak berubah.
mail-link-lead = Anda juga dapat membuat kata sandi baru tanpa kode. Tautan ini berlaku selama waktu yang sama dan hanya satu kali. Jangan berikan kepada siapa pun.
mail-link-button = Buat kata sandi baru

mail-changed-subject = Kata sandi { $service } Anda telah diubah
mail-changed-title = Kata sandi Anda telah diubah
mail-changed-preview = Jika bukan Anda yang mengubahnya, segera bertindak.
mail-changed-lead = Kata sandi akun { $service } Anda telah diubah. Jika Anda yang mengubahnya, Anda tidak perlu melakukan apa pun.
mail-changed-not-you = Bukan Anda?
mail-changed-block = Blokir akun Anda sebelum digunakan orang lain: buka tautan ini dalam tujuh hari, lalu konfirmasikan.
mail-changed-block-button = Blokir akun saya
mail-changed-reset-app = Segera atur ulang kata sandi Anda: buka aplikasi { $service } dan pilih “Lupa kata sandi”.
mail-changed-reset-website = Segera atur ulang kata sandi Anda: buka situs web { $service } dan pilih “Lupa kata sandi”.
mail-changed-support = Setelah itu, hubungi layanan pelanggan { $service }.
mail-changed-support-at = Setelah itu, hubungi layanan pelanggan { $service }: { $contact }

mail-automatic = Email ini dikirim secara otomatis. Balasan tidak akan dibaca.
mail-automatic-replies = Email ini dikirim secara otomatis.

## Durasi

duration-seconds = { $count } detik
duration-minutes = { $count } menit

## Pesan auth/v1

api-code-sent = Jika alamat email ini terdaftar, kode sedang dikirim.
api-code-proven = Kode benar. Silakan buat kata sandi baru.
api-password-set = Kata sandi Anda telah diubah.
api-account-blocked = Akun ini sekarang diblokir. Silakan hubungi layanan pelanggan.
api-password-required = Kata sandi wajib diisi.
api-otp-invalid = Kode salah.
api-otp-expired = Kode sudah kedaluwarsa. Silakan minta kode baru.
api-token-invalid = Token tidak valid. Silakan verifikasi kode terlebih dahulu.
api-user-blocked = Akun ini diblokir. Silakan hubungi layanan pelanggan.
api-session-not-found = Sesi tidak ditemukan.
api-session-expired = Sesi sudah berakhir. Silakan mulai lagi.
api-password-rejected = Kata sandi ini tidak dapat diterima.
api-attempts-exceeded = Terlalu banyak kode yang salah.
api-too-many-requests = Terlalu banyak permintaan. Silakan coba lagi nanti.
api-unavailable = Layanan sedang tidak tersedia. Silakan coba lagi.
api-internal-error = Terjadi kesalahan di sistem kami.

api-invalid-body = Permintaan tidak valid
api-invalid-content-type = Tipe konten tidak valid
api-invalid-email = Email tidak valid
api-invalid-idempotency-key = Kunci idempotensi tidak valid
api-invalid-method = Metode tidak valid
api-invalid-otp = Kode OTP tidak valid
api-invalid-password = Kata sandi tidak valid
api-invalid-session-id = Sesi tidak valid
api-invalid-token = Token tidak valid

api-reason-too-short = Gunakan paling sedikit { $count } karakter.
api-reason-too-long = Gunakan paling banyak { $count } karakter.
api-reason-too-common = Kata sandi ini termasuk yang paling dulu ditebak orang.
api-reason-breached = Kata sandi ini ada dalam daftar kata sandi yang bocor; pilihlah yang tidak Anda pakai di tempat lain.
api-reason-contains-address = Kata sandi ini terlalu mirip dengan alamat email Anda.
api-reason-contains-service-name = Kata sandi ini terlalu mirip dengan nama layanan ini.
api-reason-contains-profile = Kata sandi ini terlalu mirip dengan nama Anda atau hal lain dalam profil Anda.

## Halaman pemulihan kata sandi

page-noscript = Halaman ini memerlukan JavaScript. Aktifkan JavaScript, atau buka halaman ini di peramban lain.
page-incomplete = Halaman ini tidak dapat dimuat. Periksa koneksi Anda, lalu muat ulang.

page-step = Langkah { $number } dari { $count }
page-problem = Ada masalah
page-problem-title = Masalah: { $title }
page-busy = Mohon tunggu.
page-start-again = Mulai lagi
page-sign-in = Masuk
page-wait = Anda dapat mencoba lagi dalam { $time }.
page-wait-over = Anda dapat mencoba lagi sekarang.

page-address-title = Atur ulang kata sandi
page-address-lead = Masukkan alamat email akun { $service } Anda. Kami akan mengirimkan kode.
page-address-label = Alamat email
page-address-submit = Kirim kode
page-address-invalid = Masukkan alamat email, misalnya nama@example.com

page-code-title = Periksa email Anda
page-code-lead = Jika { $email } terdaftar, email berisi kode sedang dikirim. Ini bisa memakan waktu satu menit. Periksa juga folder spam.
page-code-label = Kode dari email
page-code-hint = { $count } angka
page-code-submit = Lanjutkan
page-code-other-address = Gunakan alamat lain
page-code-malformed = Masukkan kode dari email: { $count } angka
page-code-wrong = Kode ini salah. Hanya kode terbaru yang berlaku.
page-code-expired = Kode ini sudah kedaluwarsa. Kirim kode baru.
page-code-unsure = Kode ini tidak berlaku, atau sudah terpakai oleh percobaan yang jawabannya hilang. Kirim kode baru.
page-code-replaced = Kode Anda sudah diganti dengan yang lebih baru. Masukkan kode terbaru, atau kirim kode baru.
page-resend = Kirim kode baru
page-resend-wait = dalam { $time }
page-resend-ready = Anda dapat mengirim kode baru sekarang.
page-resend-done = Kode baru telah dikirim. Kode sebelumnya tidak berlaku lagi.
page-resend-unsure = Kode baru mungkin sudah dikirim. Periksa email Anda.

page-password-title = Buat kata sandi baru
page-password-lead = Panjang minimum: { $count } karakter. Beberapa kata acak yang tidak Anda pakai di tempat lain adalah pilihan yang baik.
page-password-account = Akun
page-password-label = Kata sandi baru
page-password-show = Tampilkan
page-password-hide = Sembunyikan
page-password-show-label = Tampilkan kata sandi
page-password-hide-label = Sembunyikan kata sandi
page-password-shown = Kata sandi Anda terlihat.
page-password-hidden = Kata sandi Anda disembunyikan.
page-password-submit = Simpan kata sandi
page-password-missing = Masukkan kata sandi baru
page-password-rejected = Kata sandi ini tidak dapat digunakan
page-reason-too_short = Kata sandi terlalu pendek. Panjang minimum: { $count } karakter.
page-reason-too_long = Kata sandi terlalu panjang. Panjang maksimum: 256 karakter.
page-reason-too_common = Kata sandi ini termasuk yang paling dulu ditebak orang.
page-reason-breached = Kata sandi ini ada dalam daftar kata sandi yang bocor. Pilih yang tidak Anda pakai di tempat lain.
page-reason-contains_address = Kata sandi ini terlalu mirip dengan alamat email Anda.
page-reason-contains_service_name = Kata sandi ini terlalu mirip dengan nama { $service }.
page-reason-contains_profile = Kata sandi ini terlalu mirip dengan nama Anda atau hal lain dalam profil Anda.
page-reason-other = Pilih kata sandi lain.

page-done-title = Kata sandi Anda telah diubah
page-done-lead = Masuklah dengan kata sandi baru Anda. Kami telah mengirim email konfirmasi.
page-unsure-title = Kata sandi Anda mungkin sudah diubah
page-unsure-lead = Sebuah jawaban hilang di perjalanan. Jika Anda menerima email bahwa kata sandi telah diubah, masuklah dengan kata sandi baru. Jika tidak ada email, mulai lagi.
page-expired-title = Pemulihan ini sudah berakhir
page-expired-lead = Waktunya habis, atau kata sandi Anda sudah diatur. Mulai lagi untuk mendapatkan kode baru.
page-link-title = Tautan ini tidak berlaku lagi
page-link-lead = Setiap tautan berlaku satu kali dan hanya sebentar. Kode yang lebih baru juga menggantikannya. Mulai lagi untuk mendapatkan tautan baru.
page-spent-title = Terlalu banyak kode yang salah
page-spent-lead = Demi keamanan Anda, kode tidak diterima lagi di sini. Mulai lagi untuk mendapatkan kode baru.
page-spent-wait = Demi keamanan Anda, kode untuk akun ini tidak diterima lagi. Anda dapat mencoba lagi dalam { $time }.
page-blocked-title = Akun ini diblokir
page-blocked-lead = Kata sandinya tidak dapat diubah di sini. Hubungi layanan pelanggan { $service }.
page-not-me-title = Bukan Anda?
page-not-me-lead = Jika Anda tidak mengubah kata sandi Anda di { $service }, blokir akun Anda. Setelah itu tidak ada yang dapat menetapkan kata sandi baru sampai layanan pelanggan membantu Anda. Jika memang Anda, tutup halaman ini.
page-not-me-submit = Blokir akun saya
page-disowned-title = Akun Anda diblokir
page-disowned-lead = Hubungi layanan pelanggan { $service } untuk mendapatkannya kembali. Jika orang lain mungkin telah membaca email Anda, ubah kata sandi kotak surat Anda sekarang.
page-not-me-over-title = Tautan ini tidak berlaku lagi
page-not-me-over-lead = Tautan ini berlaku tujuh hari sejak perubahan. Jika Anda tidak mengubah kata sandi, hubungi layanan pelanggan { $service }.

page-too-many = Terlalu banyak permintaan.
page-unavailable = Layanan sedang tidak tersedia. Coba lagi.
page-no-answer = Tidak ada jawaban. Periksa koneksi Anda, lalu coba lagi.
page-unexpected = Terjadi kesalahan. Coba lagi.
