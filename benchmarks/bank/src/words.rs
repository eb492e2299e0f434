//! The words that people's data are made of. Data only.

/// Frequent surnames, each as often as its weight says (roughly the census's order).
pub(crate) const SURNAMES: [(&str, u64); 60] = [
    ("王", 72),
    ("李", 72),
    ("张", 68),
    ("刘", 52),
    ("陈", 45),
    ("杨", 31),
    ("黄", 23),
    ("赵", 23),
    ("吴", 21),
    ("周", 21),
    ("徐", 17),
    ("孙", 16),
    ("马", 14),
    ("朱", 13),
    ("胡", 12),
    ("郭", 12),
    ("何", 12),
    ("高", 11),
    ("林", 11),
    ("郑", 9),
    ("谢", 8),
    ("罗", 8),
    ("梁", 8),
    ("宋", 7),
    ("唐", 7),
    ("许", 6),
    ("韩", 6),
    ("冯", 6),
    ("邓", 6),
    ("曹", 6),
    ("彭", 5),
    ("曾", 5),
    ("肖", 5),
    ("田", 5),
    ("董", 5),
    ("袁", 4),
    ("潘", 4),
    ("于", 4),
    ("蒋", 4),
    ("蔡", 4),
    ("余", 4),
    ("杜", 4),
    ("叶", 4),
    ("程", 4),
    ("苏", 4),
    ("魏", 4),
    ("吕", 4),
    ("丁", 3),
    ("任", 3),
    ("沈", 3),
    ("姚", 3),
    ("卢", 3),
    ("姜", 3),
    ("崔", 3),
    ("钟", 3),
    ("谭", 3),
    ("陆", 3),
    ("汪", 3),
    ("范", 3),
    ("金", 3),
];

/// Surnames of two characters.
pub(crate) const COMPOUND_SURNAMES: [&str; 10] =
    ["欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "夏侯", "慕容", "令狐"];

/// Characters of given names, mostly men's.
pub(crate) const GIVEN_MALE: [&str; 32] = [
    "伟", "强", "磊", "军", "勇", "杰", "涛", "明", "超", "刚", "平", "辉", "鹏", "华", "飞", "鑫",
    "波", "斌", "宇", "浩", "凯", "健", "俊", "帆", "帅", "旭", "宁", "龙", "林", "建", "志", "国",
];

/// Characters of given names, mostly women's.
pub(crate) const GIVEN_FEMALE: [&str; 32] = [
    "芳", "娜", "敏", "静", "丽", "艳", "娟", "霞", "秀", "英", "慧", "巧", "美", "婷", "玲", "雪",
    "琳", "晶", "妍", "茜", "秋", "珊", "莎", "锦", "黛", "青", "倩", "梅", "月", "颖", "露", "瑶",
];

/// Names with a middle dot: own name, then the father's.
pub(crate) const DOTTED_NAMES: [(&str, &str); 6] = [
    ("阿依古丽", "买买提"),
    ("迪丽娜尔", "艾合买提"),
    ("古丽巴哈尔", "吐尔逊"),
    ("买买提", "艾力"),
    ("艾克拜尔", "米吉提"),
    ("阿不都热依木", "卡德尔"),
];

/// Latin given names, women's then men's.
pub(crate) const LATIN_GIVEN: [[&str; 16]; 2] = [
    [
        "Anna",
        "Maria",
        "Emma",
        "Sofia",
        "Julia",
        "Olivia",
        "Zuzana",
        "Chloé",
        "Ingrid",
        "Elena",
        "Grace",
        "Hana",
        "Lucía",
        "Amélie",
        "Katarzyna",
        "Fatima",
    ],
    [
        "Jan", "Peter", "Lukas", "James", "Oliver", "Tomáš", "José", "Björn", "Marco", "David",
        "Daniel", "Ivan", "Henri", "Andreas", "Michał", "Omar",
    ],
];

/// Latin family names.
pub(crate) const LATIN_FAMILY: [&str; 32] = [
    "Novák",
    "Smith",
    "Müller",
    "García",
    "Rossi",
    "Johnson",
    "Dubois",
    "Kowalski",
    "Ivanov",
    "Nielsen",
    "Svoboda",
    "Brown",
    "Schmidt",
    "Fernández",
    "Bianchi",
    "Williams",
    "Martin",
    "Nowak",
    "Petrov",
    "Hansen",
    "Dvořák",
    "Taylor",
    "Weber",
    "López",
    "Ferrari",
    "O'Brien",
    "Bernard",
    "Wiśniewski",
    "Horváth",
    "Andersson",
    "van den Berg",
    "Popescu",
];

/// Syllables for the local part of e-mail addresses.
pub(crate) const SYLLABLES: [&str; 32] = [
    "wang", "li", "zhang", "liu", "chen", "yang", "huang", "zhao", "wu", "zhou", "xiao", "ming",
    "hua", "wei", "jun", "lin", "fei", "mei", "xue", "yu", "bo", "tao", "jie", "lan", "qing",
    "han", "rui", "kai", "ning", "shan", "ying", "long",
];

/// Domains of e-mail addresses.
pub(crate) const EMAIL_DOMAINS: [&str; 6] = [
    "mail.example",
    "post.example",
    "inbox.example.cn",
    "corp.example.com",
    "uni.example.edu",
    "my.example.net",
];

/// Education, from the lowest.
pub(crate) const EDUCATION: [&str; 6] =
    ["primary", "secondary", "vocational", "bachelor", "master", "doctorate"];
/// How many of a thousand have it.
pub(crate) const EDUCATION_WEIGHTS: [u64; 6] = [110, 320, 240, 250, 65, 15];

/// Occupations.
pub(crate) const OCCUPATIONS: [&str; 16] = [
    "employee",
    "worker",
    "farmer",
    "teacher",
    "engineer",
    "physician",
    "civil_servant",
    "merchant",
    "driver",
    "student",
    "retired",
    "self_employed",
    "manager",
    "nurse",
    "accountant",
    "researcher",
];

/// Marital status.
pub(crate) const MARITAL_STATUS: [&str; 4] = ["married", "single", "divorced", "widowed"];
/// How many of a thousand are.
pub(crate) const MARITAL_STATUS_WEIGHTS: [u64; 4] = [640, 260, 70, 30];

/// Risk levels of an investor, from the most careful.
pub(crate) const RISK_LEVELS: [&str; 5] = ["R1", "R2", "R3", "R4", "R5"];
/// How many of a thousand have it.
pub(crate) const RISK_LEVEL_WEIGHTS: [u64; 5] = [210, 340, 280, 130, 40];

/// Remarks that clerks leave in a customer's record; `{}` becomes a telephone number.
pub(crate) const CUSTOMER_MEMOS: [&str; 6] = [
    "客户要求下午联系，电话{}",
    "已更新地址，待核实",
    "对理财产品感兴趣",
    "Prefers to be called at {}",
    "家属代办，联系电话{}",
    "Moved abroad; letters come back",
];

/// Remarks on transactions.
pub(crate) const TRANSACTION_MEMOS: [&str; 8] =
    ["房租", "学费", "生活费", "货款", "还款", "rent", "invoice", "红包"];

/// Notes of the service centre.
pub(crate) const CONTACT_NOTES: [&str; 6] = [
    "客户咨询信用卡额度，已答复",
    "客户投诉排队时间过长",
    "挂失补卡，身份已核实",
    "询问贷款利率，预约网点面谈",
    "手机银行登录问题，已解决",
    "Asked about a transfer abroad, answered",
];
