use std::cell::Cell;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

thread_local! {
    /// How many letters were compared on this thread.
    pub(crate) static COMPARISONS: Cell<usize> = const { Cell::new(0) };
}

fn remainder(password: &str) -> Remainder {
    Remainder::of(&Candidate::new(Zeroizing::new(password.to_owned())))
}

/// Whether too little is left of a password without the words of some texts.
fn leans(password: &str, texts: &[&str]) -> bool {
    let mut rest = remainder(password);
    let found = texts.iter().filter(|text| rest.take_out(text)).count();
    found > 0 && rest.is_too_little()
}

fn leans_on_address(password: &str, address: &str) -> bool {
    let mut rest = remainder(password);
    rest.take_out_address(&Address::parse(address).unwrap()) && rest.is_too_little()
}

#[test]
fn a_password_that_is_a_word_and_little_else_is_noticed() {
    for (password, text, why) in [
        ("Regain", "Regain", "the word"),
        ("regain2026", "Regain", "digits behind it"),
        ("2026-REGAIN!", "Regain", "digits before it, a mark behind"),
        ("xyregainvk4", "Regain", "letters around it"),
        ("xyzregainvk4t", "Regain", "7 of its own, and no more"),
        ("R3g41n2026", "Regain", "digits for letters"),
        ("r-e.g_a i n 12", "Regain", "marks and spaces between"),
        ("r!3!g!@!!!n", "Regain", "a sign as a mark and for a letter"),
        ("regainregain1", "Regain", "twice"),
        ("regain!!!!!!!!", "Regain", "nothing but marks besides"),
        ("regain1!!!!!!!", "Regain", "a digit and one mark, repeated"),
        (
            "regain1!?!?!?!?",
            "Regain",
            "a digit and two marks, repeated",
        ),
        ("........1........regain", "Regain", "a digit between marks"),
        ("budi1990----", "Budi", "a year and one mark, repeated"),
        ("ＲＥＧＡＩＮ２０２６", "Regain", "full width"),
        ("reg\u{200b}a\u{ad}in2026", "Regain", "invisible characters"),
        ("regain2026", "Ｒｅｇａｉｎ", "a word in full width"),
        (
            "regain2026",
            "Re\u{200b}gain",
            "a word with an invisible character",
        ),
        ("budisantoso", "Budi Santoso", "two words as one"),
        ("Santoso#1990", "Budi Santoso", "one word of two"),
        (
            "annasmith12",
            "Ann A. Smith",
            "with a word too short by itself",
        ),
        ("obrien1990", "O'Brien", "a mark inside a word"),
        ("JU\u{308}RGEN12", "Jürgen", "decomposed, in upper case"),
        ("strasse7", "Straße", "folded"),
        ("Регина2026", "РЕГИНА", "Cyrillic"),
        ("$4nt0$0!!", "santoso", "signs for letters"),
        ("budi77!!", "budi1990", "the letters of a word with digits"),
        ("a1b2c3d4!", "a1b2c3d4", "letters and digits in turn"),
    ] {
        assert!(leans(password, &[text]), "{why}: {password:?} and {text:?}");
    }
}

#[test]
fn accents_do_not_tell_words_apart() {
    for (password, text, why) in [
        ("joseangelvelasquez", "José Ángel Velásquez", "Spanish"),
        ("José-Ángel1", "Jose Angel", "accents in the password only"),
        ("jurgen123", "Jürgen", "German"),
        ("JU\u{308}RGEN12", "Jurgen", "decomposed"),
        (
            "nguyenthanh1",
            "Nguyễn Thành",
            "Vietnamese, two on one letter",
        ),
        ("lukasz123", "Łukasz", "a stroke"),
        ("soren-kjaer1", "Søren", "a stroke, and more"),
        ("isiksahin12", "Işık Şahin", "Turkish"),
        ("Έλενα2026", "Ελενα", "Greek"),
        ("محمد-محمد1", "مُحَمَّد", "Arabic, pointed"),
        ("ﾀﾞｲｷﾀﾞｲｷ12", "ダイキ", "Japanese, half width"),
    ] {
        assert!(leans(password, &[text]), "{why}: {password:?} and {text:?}");
    }
    for (password, text, why) in [
        (
            "かきくかきくかき",
            "がぎぐ",
            "voiced kana are other letters",
        ),
        ("Žluťoučký kůň", "José", "another word with accents"),
    ] {
        assert!(
            !leans(password, &[text]),
            "{why}: {password:?} and {text:?}"
        );
    }
}

#[test]
fn a_code_point_of_the_password_counts_once_whatever_it_folds_to() {
    for (password, why) in [
        ("kurniawan㍿㍿", "four ideographs each"),
        ("kurniawan\u{fdfa}", "eighteen letters"),
        ("kurniawanﬃﬃﬃ", "three letters each"),
        ("kurniawanéééé123", "a letter and an accent each"),
        ("kurniawan강강강강123", "three parts of a syllable each"),
    ] {
        assert!(leans(password, &["Kurniawan"]), "{why}: {password:?}");
    }
    for password in ["kurniawan㍿㌀㌁㌂㌃㌄㌅㌆", "kurniawanéáúíçñöü"] {
        assert!(!leans(password, &["Kurniawan"]), "{password:?}");
    }
}

#[test]
fn words_are_taken_out_together_in_any_order() {
    for (password, texts, why) in [
        (
            "christopheralexander",
            vec!["Alexander Christopher"],
            "the other way round",
        ),
        (
            "nasionalperpustakaan",
            vec!["Perpustakaan Nasional"],
            "the other way round",
        ),
        (
            "Muhammad Kurniawan",
            vec!["Muhammad", "Kurniawan"],
            "of two texts",
        ),
        (
            "kurniawan.muhammad.99",
            vec!["Muhammad", "Kurniawan"],
            "of two texts, reversed",
        ),
        (
            "muhammad--------kurniawan",
            vec!["Muhammad", "Kurniawan"],
            "marks between",
        ),
        ("--==[[ Kurniawan ]]==--", vec!["Kurniawan"], "marks around"),
        (
            "kurn1@w@n/MUHAMM4D",
            vec!["Muhammad", "Kurniawan"],
            "signs for letters",
        ),
        ("sitibudisiti12", vec!["Budi", "Siti"], "one of them twice"),
        (
            "muhammadhammad1",
            vec!["Muhammad", "hammad"],
            "one inside the other",
        ),
        (
            "kristinanita",
            vec!["Kristina", "Nanita"],
            "one over the end of the other",
        ),
    ] {
        assert!(leans(password, &texts), "{why}: {password:?} and {texts:?}");
    }
}

#[test]
fn two_letters_are_a_word_where_no_spaces_are_written() {
    for (password, text, why) in [
        ("王小明王小明12", "王小明", "Chinese, twice"),
        (
            "小明小明小明12",
            "王小明",
            "Chinese, without the family name",
        ),
        ("李明李明李明99", "李明", "Chinese, two letters"),
        (
            "太郎田中太郎12",
            "田中太郎",
            "Japanese, the other way round",
        ),
        (
            "たろう田中たろう12",
            "田中たろう",
            "Japanese, in two scripts",
        ),
        ("たなかたろう12", "たなか たろう", "Japanese, as one word"),
        (
            "佐々木佐々木99",
            "佐々木",
            "Japanese, with an iteration mark",
        ),
        ("ﾀﾅｶﾀﾅｶﾀﾅｶ1", "タナカ", "Japanese, half width"),
        ("มดมดมดมด1", "มด", "Thai"),
        ("น้ำฝน-ใจดี-99", "ใจดี น้ำฝน", "Thai, with tone marks"),
        ("ສົມສົມສົມສົມ", "ສົມ", "Lao"),
        ("សុខសុខសុខសុខ", "សុខ", "Khmer"),
        ("အောင်အောင်၉၉", "အောင်", "Burmese"),
        ("김민수김민수12", "김민수", "Korean, twice"),
        (
            "민수민수민수12",
            "김민수",
            "Korean, without the family name",
        ),
        ("민수김-민수김-1", "김 민수", "Korean, the other way round"),
        (
            "\u{1100}\u{1175}\u{11b7}민수김민수12",
            "김민수",
            "Korean, decomposed",
        ),
        (
            "지훈지훈지훈1",
            "\u{110c}\u{1175}\u{1112}\u{116e}\u{11ab}",
            "Korean, a decomposed name",
        ),
        ("たろうたろう99", "たなかたろう", "a given name in kana"),
        ("タロウタロウ99", "タナカタロウ", "a given name in katakana"),
        (
            "はなはなはなはな1",
            "たなかはな",
            "a given name of two kana",
        ),
        ("สมชายสมชาย1", "สมชายใจดี", "a given name in Thai"),
        ("ใจดีใจดีใจดี1", "สมชายใจดี", "a family name in Thai"),
        ("សុខាសុខាសុខា", "ចាន់សុខា", "a given name in Khmer"),
    ] {
        assert!(leans(password, &[text]), "{why}: {password:?} and {text:?}");
    }
    for (password, text, why) in [
        ("王七個字的密碼好記", "王小明", "one ideograph"),
        ("小明天去北京看朋友吃飯", "王小明", "9 letters besides"),
        ("anananananan", "An", "two letters of another script"),
        ("김김김김김김김김", "김", "one syllable"),
    ] {
        assert!(
            !leans(password, &[text]),
            "{why}: {password:?} and {text:?}"
        );
    }
}

#[test]
fn numbers_are_noticed_from_six_digits_on_and_with_another_prefix() {
    for (password, number, why) in [
        ("+62-811-0000-1234", "+62 811 0000 1234", "as it is"),
        (
            "+6281234567890",
            "0812-3456-7890",
            "international for national",
        ),
        (
            "+62 812 3456 7890 abcde",
            "0812-3456-7890",
            "and with something besides",
        ),
        ("(+62) 812.3456.7890 abcd", "081234567890", "in brackets"),
        ("0062812 34567890", "0812-3456-7890", "dialled with 00"),
        (
            "081234567890",
            "+62 812-3456-7890",
            "national for international",
        ),
        ("81234567890xyz", "+62 812-3456-7890", "without any prefix"),
        ("020 7946 0958 ab", "+44 20 7946 0958", "a trunk prefix"),
        ("+44 (0)20 7946 0958", "+442079460958", "both prefixes"),
        (
            "+353 85 012 3456 xy",
            "085 012 3456",
            "a country code of three digits",
        ),
        (
            "+7 912 345-67-89",
            "8 (912) 345-67-89",
            "a trunk prefix that is no 0",
        ),
        ("34567890!!", "0812-3456-7890", "the end of it"),
        ("19900517ab", "1990-05-17", "a date"),
        ("٠٨١٢٣٤٥٦٧٨٩٠", "0812-3456-7890", "in Arabic digits"),
        (
            "+62 812 3456 7890",
            "۰۸۱۲-۳۴۵۶-۷۸۹۰",
            "kept in Persian digits",
        ),
        ("pin123456", "123456", "six digits"),
    ] {
        assert!(
            leans(password, &[number]),
            "{why}: {password:?} and {number:?}"
        );
    }
    for (password, number, why) in [
        ("kettle-1990", "1990", "four digits"),
        ("12345kettle", "12345", "five digits"),
        (
            "+62811kettle22",
            "+62 811 2222 0000",
            "a part of five digits",
        ),
        (
            "081234567890 brass kettle",
            "0812-3456-7890",
            "enough besides",
        ),
        ("724412345 kettles", "0812-3456-7890", "another number"),
    ] {
        assert!(
            !leans(password, &[number]),
            "{why}: {password:?} and {number:?}"
        );
    }
}

#[test]
fn an_address_is_noticed_whatever_is_around_it() {
    let address = "budi@example.com";
    for (password, why) in [
        ("budi@example.com", "the address"),
        ("budi@example.com1", "a digit behind it"),
        ("<budi@example.com>", "in brackets"),
        ("Budi <budi@example.com>", "with the name before it"),
        ("mailto:budi@example.com", "a scheme before it"),
        (
            "MAILTO://budi@example.com?x",
            "another spelling of the scheme",
        ),
        ("https://budi@example.com/", "another scheme"),
        ("http://budi@example.com/ab", "one more scheme"),
        ("budi@example.co", "without its last letter"),
        ("udi@example.com", "without its first letter"),
        ("budi@exmple.com", "without one in the middle"),
        ("<budi@example.co>123", "cut, and with something around"),
        ("budi example com", "spaces for marks"),
        ("bud1@3x4mple.c0m", "digits for letters"),
        ("ＢＵＤＩ＠ＥＸＡＭＰＬＥ．ＣＯＭ", "full width"),
        ("budi@exam\u{200b}ple.com", "an invisible character"),
        ("budi@example.combudi@example.com", "twice"),
    ] {
        assert!(leans_on_address(password, address), "{why}: {password:?}");
    }
    for (password, why) in [
        ("example.com", "the domain alone"),
        ("siti@example.com", "another person's"),
        ("budi@example.com kettles!", "7 letters and a mark besides"),
        ("udi rides a red horse", "a part of the local part"),
    ] {
        assert!(!leans_on_address(password, address), "{why}: {password:?}");
    }
    for (password, address, why) in [
        (
            "<rené@bücher.example>",
            "rene\u{301}@xn--bcher-kva.example",
            "the domain as people write it",
        ),
        (
            "rené@xn--bcher-kva.example!",
            "rené@bücher.example",
            "the domain as DNS has it",
        ),
        (
            "<a@bank.example>12345",
            "a@bank.example",
            "a sign that could be its first letter",
        ),
        (
            "tag.plus.dewi.1",
            "dewi+plus.tag@example.com",
            "the words of its local part",
        ),
        ("王小明1@例子.公司", "王小明1@例子.公司", "Chinese"),
    ] {
        assert!(leans_on_address(password, address), "{why}: {password:?}");
    }
}

#[test]
fn a_password_with_enough_of_its_own_is_left_alone() {
    for (password, text, why) in [
        ("xyzregainvk4tq", "Regain", "8 of its own"),
        ("regain rides a red horse", "Regain", "a sentence"),
        ("regain🔑🐎🔋📎🌊🌵🧭🪁", "Regain", "8 emoji"),
        (
            "vK4#tq9z!regain",
            "Regain",
            "8 of its own, one of them a mark",
        ),
        (
            "regain-k7-p2-x9",
            "Regain",
            "a mark between other characters",
        ),
        ("regain1!?#%&+=", "Regain", "8 different ones"),
        ("vK4#tq9z", "Regain", "nothing of it"),
        ("vK4#tq9", "Regain", "nothing of it, and short"),
        ("regai2026", "Regain", "a part of it"),
        ("regXain26", "Regain", "a letter between"),
        ("ann12345", "Ann", "a word too short to look for"),
        ("        ", "  ", "white space"),
        ("!!!!!!!!", "!!!!", "no letter at all"),
        ("", "Regain", "empty"),
        ("vK4#tq9z", "", "no word"),
        ("xn4rdqkf-budi-t7", "Budi Santoso", "a name in a random one"),
    ] {
        assert!(
            !leans(password, &[text]),
            "{why}: {password:?} and {text:?}"
        );
    }
}

/// Words of passphrases, of the kind that lists for dice have.
const DICE: [&str; 40] = [
    "acid", "acorn", "alien", "amber", "anchor", "apron", "attic", "banjo", "basil", "blend",
    "bonus", "brass", "cabin", "candle", "cedar", "comet", "copper", "daisy", "ember", "fable",
    "gecko", "horse", "ivory", "kettle", "lemon", "maple", "moon", "nickel", "onion", "paddle",
    "quartz", "raven", "river", "saddle", "staple", "tulip", "umbrella", "velvet", "walnut",
    "zebra",
];

/// Profiles as people have them, each with an address.
const PROFILES: [(&str, &[&str]); 6] = [
    (
        "budi.santoso77@gmail.example",
        &[
            "Budi",
            "Santoso",
            "Budi Santoso",
            "+62 812-3456-7890",
            "1990-05-17",
        ],
    ),
    (
        "amber.rivers@copper-kettle.example",
        &[
            "Amber Rivers",
            "020 7946 0958",
            "Horse riding, candle making and maple trees",
        ],
    ),
    (
        "m.kurniawan@kampus.example",
        &[
            "Muhammad Al Kurniawan",
            "id",
            "Jl. Sudirman No. 12, Jakarta 10220",
            "081298765432",
        ],
    ),
    (
        "li.na@mail.example",
        &["Li Na", "李娜", "zh-CN", "138 0013 8000", "F"],
    ),
    (
        "jose@example.com",
        &[
            "José Ángel Velásquez",
            "https://cdn.example.com/avatars/60115a65c0c6974f894f9ea6.png",
        ],
    ),
    (
        "kim@example.com",
        &[
            "김민수",
            "en",
            "Seoul",
            "Asia/Seoul",
            "2023-01-06T06:25:41.227Z",
        ],
    ),
];

/// Passphrases where words have no spaces between them, or are short.
const PASSPHRASES: [&str; 30] = [
    "ひつじが九ひきねむる",
    "あめのひのかえる",
    "よるのぷーるでおよぐ",
    "แมวกินปลาทูสด",
    "หมูบินได้แล้ว",
    "달콤한감자세자루",
    "あさごはんにはあおいりんご",
    "ゆきのあさにきつねがはねる",
    "でんしゃでうみまでいきたい",
    "むらさきのかばんとながぐつ",
    "猫がピアノの上で寝ている",
    "カレーは二日目がおいしい",
    "コーヒーとバナナのあさごはん",
    "山の上で星を数える夜",
    "แมวสีส้มนอนบนหลังคา",
    "กาแฟเย็นกับขนมปัง",
    "ฝนตกที่ภูเขาตอนเช้า",
    "ช้างเดินข้ามสะพานไม้",
    "รถไฟสายเหนือออกดึก",
    "ทะเลสีฟ้ากับเรือเล็ก",
    "파란 고양이가 피아노를 친다",
    "비오는날에는파전과막걸리",
    "바다에서 주운 조개껍데기",
    "아침마다 사과 두 개",
    "기차 타고 부산까지 간다",
    "눈 오는 밤의 붕어빵 가게",
    "紫色的大象在图书馆跳舞",
    "星期天早上吃七个包子",
    "雨天我们去山里采蘑菇",
    "ខ្មៅដៃពណ៌ខៀវលើតុ",
];

/// Profiles of people who have such names.
const UNSPACED_PROFILES: [&[&str]; 10] = [
    &["たなかたろう", "東京都渋谷区", "山と写真が好きです"],
    &["さとう はなこ", "サトウハナコ", "佐藤花子", "大阪市北区"],
    &["すずき いちろう", "スズキイチロウ", "コーヒー"],
    &["สมชายใจดี", "กรุงเทพมหานคร"],
    &["น้ำฝน ศรีสุข", "เชียงใหม่", "ครู"],
    &["김민수", "서울특별시 강남구", "개발자"],
    &["이 서연", "부산광역시 해운대구"],
    &["박지훈", "Park Jihoon", "경기도 수원시"],
    &["王小明", "北京市朝阳区", "软件工程师"],
    &["ចាន់ សុខា", "ភ្នំពេញ"],
];

#[test]
fn good_passphrases_without_spaces_are_not_refused_because_of_a_usual_profile() {
    let pairs = PASSPHRASES
        .iter()
        .flat_map(|password| UNSPACED_PROFILES.map(|texts| (password, texts)));
    let refused: Vec<_> = pairs
        .filter(|(password, texts)| leans(password, texts))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn good_passwords_are_not_refused_because_of_a_usual_profile() {
    let mut rng = StdRng::seed_from_u64(9);
    let printable: Vec<char> = ('!'..='~').collect();
    let letters: Vec<char> = ('a'..='z').chain('0'..='9').collect();
    for turn in 0..1_000 {
        let passphrase: Vec<&str> = DICE.sample(&mut rng, 4).copied().collect();
        let mut drawn = |from: &[char], length: usize| -> String {
            (0..length)
                .map(|_| from[rng.random_range(0..from.len())])
                .collect()
        };
        let (made, typed) = (drawn(&printable, 12), drawn(&letters, 10));
        let (address, texts) = PROFILES[turn % PROFILES.len()];
        let name = texts[0];
        for password in [
            passphrase.join(" "),
            passphrase.concat(),
            made.clone(),
            typed.clone(),
            format!("{name} {}", passphrase.join("-")),
            format!("{typed}{name}"),
        ] {
            let mut rest = remainder(&password);
            rest.take_out_address(&Address::parse(address).unwrap());
            for text in texts {
                rest.take_out(text);
            }
            assert!(!rest.is_too_little(), "{password:?} of {texts:?}");
        }
    }
}

#[test]
fn the_work_is_the_length_of_the_password_times_the_letters_of_the_words() {
    let long = "a".repeat(64);
    for (password, text) in [
        ("@".repeat(256), "aisle alias lila sial".to_owned()),
        ("!".repeat(256), "illi".to_owned()),
        ("a".repeat(256), long.clone()),
        ("!1".repeat(128), "l".repeat(64)),
        ("a!".repeat(128), format!("{long} {long}b")),
        ("$".repeat(255) + "a", "s".repeat(128)),
    ] {
        let letters: usize = words(&text).iter().map(Vec::len).sum();
        COMPARISONS.set(0);
        remainder(&password).take_out(&text);
        let comparisons = COMPARISONS.get();
        assert!(
            (1..=password.chars().count() * letters).contains(&comparisons),
            "{comparisons} for {letters} letters"
        );
        // The words of a text are the text, its words, and the parts of these.
        assert!(letters <= 3 * text.len());
    }
    let address = format!("{}@{}.example", "a".repeat(64), "a".repeat(60));
    COMPARISONS.set(0);
    remainder(&"@".repeat(256)).take_out_address(&Address::parse(&address).unwrap());
    assert!(COMPARISONS.get() <= 256 * 8 * address.len());
}
