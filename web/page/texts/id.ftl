### Teks halaman pemulihan kata sandi, dalam bahasa Indonesia. Lihat en.ftl untuk penjelasan.

direction = ltr

noscript = Halaman ini memerlukan JavaScript. Aktifkan JavaScript, atau buka halaman ini di peramban lain.
incomplete = Halaman ini tidak dapat dimuat. Periksa koneksi Anda, lalu muat ulang.

step = Langkah { $number } dari { $count }
problem = Ada masalah
problem-title = Masalah: { $title }
busy = Mohon tunggu.
start-again = Mulai lagi
sign-in = Masuk
wait = Anda dapat mencoba lagi dalam { $time }.
wait-over = Anda dapat mencoba lagi sekarang.

address-title = Atur ulang kata sandi
address-lead = Masukkan alamat email akun { $service } Anda. Kami akan mengirimkan kode.
address-label = Alamat email
address-submit = Kirim kode
address-invalid = Masukkan alamat email, misalnya nama@example.com

code-title = Periksa email Anda
code-lead = Jika { $email } terdaftar, email berisi kode sedang dikirim. Ini bisa memakan waktu satu menit. Periksa juga folder spam.
code-label = Kode dari email
code-hint = { $count } angka
code-submit = Lanjutkan
code-other-address = Gunakan alamat lain
code-malformed = Masukkan kode dari email: { $count } angka
code-wrong = Kode ini salah. Hanya kode terbaru yang berlaku.
code-expired = Kode ini sudah kedaluwarsa. Kirim kode baru.
code-unsure = Kode ini tidak berlaku, atau sudah terpakai oleh percobaan yang jawabannya hilang. Kirim kode baru.
code-replaced = Kode Anda sudah diganti dengan yang lebih baru. Masukkan kode terbaru, atau kirim kode baru.
resend = Kirim kode baru
resend-wait = dalam { $time }
resend-ready = Anda dapat mengirim kode baru sekarang.
resend-done = Kode baru telah dikirim. Kode sebelumnya tidak berlaku lagi.
resend-unsure = Kode baru mungkin sudah dikirim. Periksa email Anda.

password-title = Buat kata sandi baru
password-lead = Panjang minimum: { $count } karakter. Beberapa kata acak yang tidak Anda pakai di tempat lain adalah pilihan yang baik.
password-account = Akun
password-label = Kata sandi baru
password-show = Tampilkan
password-hide = Sembunyikan
password-show-label = Tampilkan kata sandi
password-hide-label = Sembunyikan kata sandi
password-shown = Kata sandi Anda terlihat.
password-hidden = Kata sandi Anda disembunyikan.
password-submit = Simpan kata sandi
password-missing = Masukkan kata sandi baru
password-rejected = Kata sandi ini tidak dapat digunakan
reason-too_short = Kata sandi terlalu pendek. Panjang minimum: { $count } karakter.
reason-too_long = Kata sandi terlalu panjang. Panjang maksimum: 256 karakter.
reason-too_common = Kata sandi ini termasuk yang paling dulu ditebak orang.
reason-breached = Kata sandi ini ada dalam daftar kata sandi yang bocor. Pilih yang tidak Anda pakai di tempat lain.
reason-contains_address = Kata sandi ini terlalu mirip dengan alamat email Anda.
reason-contains_service_name = Kata sandi ini terlalu mirip dengan nama { $service }.
reason-contains_profile = Kata sandi ini terlalu mirip dengan nama Anda atau hal lain dalam profil Anda.
reason-other = Pilih kata sandi lain.

done-title = Kata sandi Anda telah diubah
done-lead = Masuklah dengan kata sandi baru Anda. Kami telah mengirim email konfirmasi.
unsure-title = Kata sandi Anda mungkin sudah diubah
unsure-lead = Sebuah jawaban hilang di perjalanan. Jika Anda menerima email bahwa kata sandi telah diubah, masuklah dengan kata sandi baru. Jika tidak ada email, mulai lagi.
expired-title = Pemulihan ini sudah berakhir
expired-lead = Waktunya habis, atau kata sandi Anda sudah diatur. Mulai lagi untuk mendapatkan kode baru.
link-title = Tautan ini tidak berlaku lagi
link-lead = Setiap tautan berlaku satu kali dan hanya sebentar. Kode yang lebih baru juga menggantikannya. Mulai lagi untuk mendapatkan tautan baru.
spent-title = Terlalu banyak kode yang salah
spent-lead = Demi keamanan Anda, kode tidak diterima lagi di sini. Mulai lagi untuk mendapatkan kode baru.
spent-wait = Demi keamanan Anda, kode untuk akun ini tidak diterima lagi. Anda dapat mencoba lagi dalam { $time }.
blocked-title = Akun ini diblokir
blocked-lead = Kata sandinya tidak dapat diubah di sini. Hubungi layanan pelanggan { $service }.

too-many = Terlalu banyak permintaan.
unavailable = Layanan sedang tidak tersedia. Coba lagi.
no-answer = Tidak ada jawaban. Periksa koneksi Anda, lalu coba lagi.
unexpected = Terjadi kesalahan. Coba lagi.
