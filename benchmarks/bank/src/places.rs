//! Where the bank is: provinces with their first-level codes, and their cities. Data only.

/// One province: code (GB/T 2260, two digits), name, Latin name, inhabitants in millions, and
/// its cities as `name Latin` pairs, the capital first. `市` is added to names that need it.
pub(crate) struct Province {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) latin: &'static str,
    pub(crate) millions: u64,
    cities: &'static str,
}

impl Province {
    /// Name and Latin name of each city.
    pub(crate) fn cities(&self) -> impl Iterator<Item = (String, &'static str)> {
        self.cities.split(',').filter_map(|pair| {
            let (name, latin) = pair.trim().split_once(' ')?;
            Some((with_suffix(name), latin))
        })
    }
}

fn with_suffix(name: &str) -> String {
    let complete = ["自治州", "区", "盟"].iter().any(|suffix| name.ends_with(suffix));
    if complete { name.to_owned() } else { format!("{name}市") }
}

const fn province(
    code: &'static str,
    name: &'static str,
    latin: &'static str,
    millions: u64,
    cities: &'static str,
) -> Province {
    Province { code, name, latin, millions, cities }
}

/// The provinces, in the order of their codes.
pub(crate) const PROVINCES: [Province; 31] = [
    province(
        "11",
        "北京市",
        "Beijing",
        22,
        "东城区 Dongcheng,西城区 Xicheng,朝阳区 Chaoyang,海淀区 Haidian,丰台区 Fengtai,石景山区 Shijingshan,通州区 Tongzhou,\
         昌平区 Changping,大兴区 Daxing,顺义区 Shunyi",
    ),
    province(
        "12",
        "天津市",
        "Tianjin",
        14,
        "和平区 Heping,河东区 Hedong,河西区 Hexi,南开区 Nankai,河北区 Hebei,滨海新区 Binhai,西青区 Xiqing,武清区 Wuqing",
    ),
    province(
        "13",
        "河北省",
        "Hebei",
        74,
        "石家庄 Shijiazhuang,唐山 Tangshan,秦皇岛 Qinhuangdao,邯郸 Handan,邢台 Xingtai,保定 Baoding,张家口 Zhangjiakou,\
         承德 Chengde,沧州 Cangzhou,廊坊 Langfang,衡水 Hengshui",
    ),
    province(
        "14",
        "山西省",
        "Shanxi",
        35,
        "太原 Taiyuan,大同 Datong,阳泉 Yangquan,长治 Changzhi,晋城 Jincheng,朔州 Shuozhou,晋中 Jinzhong,运城 Yuncheng,\
         忻州 Xinzhou,临汾 Linfen,吕梁 Lüliang",
    ),
    province(
        "15",
        "内蒙古自治区",
        "Inner Mongolia",
        24,
        "呼和浩特 Hohhot,包头 Baotou,乌海 Wuhai,赤峰 Chifeng,通辽 Tongliao,鄂尔多斯 Ordos,呼伦贝尔 Hulunbuir,\
         巴彦淖尔 Bayannur,乌兰察布 Ulanqab,锡林郭勒盟 Xilingol",
    ),
    province(
        "21",
        "辽宁省",
        "Liaoning",
        42,
        "沈阳 Shenyang,大连 Dalian,鞍山 Anshan,抚顺 Fushun,本溪 Benxi,丹东 Dandong,锦州 Jinzhou,营口 Yingkou,阜新 Fuxin,\
         辽阳 Liaoyang,盘锦 Panjin,铁岭 Tieling,朝阳 Chaoyang,葫芦岛 Huludao",
    ),
    province(
        "22",
        "吉林省",
        "Jilin",
        24,
        "长春 Changchun,吉林 Jilin,四平 Siping,辽源 Liaoyuan,通化 Tonghua,白山 Baishan,松原 Songyuan,白城 Baicheng,\
         延边朝鲜族自治州 Yanbian",
    ),
    province(
        "23",
        "黑龙江省",
        "Heilongjiang",
        31,
        "哈尔滨 Harbin,齐齐哈尔 Qiqihar,鸡西 Jixi,鹤岗 Hegang,双鸭山 Shuangyashan,大庆 Daqing,伊春 Yichun,佳木斯 Jiamusi,\
         七台河 Qitaihe,牡丹江 Mudanjiang,黑河 Heihe,绥化 Suihua",
    ),
    province(
        "31",
        "上海市",
        "Shanghai",
        25,
        "黄浦区 Huangpu,浦东新区 Pudong,徐汇区 Xuhui,长宁区 Changning,静安区 Jing'an,普陀区 Putuo,虹口区 Hongkou,杨浦区 Yangpu,\
         闵行区 Minhang,宝山区 Baoshan,嘉定区 Jiading,松江区 Songjiang",
    ),
    province(
        "32",
        "江苏省",
        "Jiangsu",
        85,
        "南京 Nanjing,无锡 Wuxi,徐州 Xuzhou,常州 Changzhou,苏州 Suzhou,南通 Nantong,连云港 Lianyungang,淮安 Huai'an,\
         盐城 Yancheng,扬州 Yangzhou,镇江 Zhenjiang,泰州 Taizhou,宿迁 Suqian",
    ),
    province(
        "33",
        "浙江省",
        "Zhejiang",
        66,
        "杭州 Hangzhou,宁波 Ningbo,温州 Wenzhou,嘉兴 Jiaxing,湖州 Huzhou,绍兴 Shaoxing,金华 Jinhua,衢州 Quzhou,舟山 Zhoushan,\
         台州 Taizhou,丽水 Lishui",
    ),
    province(
        "34",
        "安徽省",
        "Anhui",
        61,
        "合肥 Hefei,芜湖 Wuhu,蚌埠 Bengbu,淮南 Huainan,马鞍山 Ma'anshan,淮北 Huaibei,铜陵 Tongling,安庆 Anqing,黄山 Huangshan,\
         滁州 Chuzhou,阜阳 Fuyang,宿州 Suzhou,六安 Lu'an,亳州 Bozhou,池州 Chizhou,宣城 Xuancheng",
    ),
    province(
        "35",
        "福建省",
        "Fujian",
        42,
        "福州 Fuzhou,厦门 Xiamen,莆田 Putian,三明 Sanming,泉州 Quanzhou,漳州 Zhangzhou,南平 Nanping,龙岩 Longyan,宁德 Ningde",
    ),
    province(
        "36",
        "江西省",
        "Jiangxi",
        45,
        "南昌 Nanchang,景德镇 Jingdezhen,萍乡 Pingxiang,九江 Jiujiang,新余 Xinyu,鹰潭 Yingtan,赣州 Ganzhou,吉安 Ji'an,\
         宜春 Yichun,抚州 Fuzhou,上饶 Shangrao",
    ),
    province(
        "37",
        "山东省",
        "Shandong",
        101,
        "济南 Jinan,青岛 Qingdao,淄博 Zibo,枣庄 Zaozhuang,东营 Dongying,烟台 Yantai,潍坊 Weifang,济宁 Jining,泰安 Tai'an,\
         威海 Weihai,日照 Rizhao,临沂 Linyi,德州 Dezhou,聊城 Liaocheng,滨州 Binzhou,菏泽 Heze",
    ),
    province(
        "41",
        "河南省",
        "Henan",
        98,
        "郑州 Zhengzhou,开封 Kaifeng,洛阳 Luoyang,平顶山 Pingdingshan,安阳 Anyang,鹤壁 Hebi,新乡 Xinxiang,焦作 Jiaozuo,\
         濮阳 Puyang,许昌 Xuchang,漯河 Luohe,三门峡 Sanmenxia,南阳 Nanyang,商丘 Shangqiu,信阳 Xinyang,周口 Zhoukou,\
         驻马店 Zhumadian",
    ),
    province(
        "42",
        "湖北省",
        "Hubei",
        58,
        "武汉 Wuhan,黄石 Huangshi,十堰 Shiyan,宜昌 Yichang,襄阳 Xiangyang,鄂州 Ezhou,荆门 Jingmen,孝感 Xiaogan,荆州 Jingzhou,\
         黄冈 Huanggang,咸宁 Xianning,随州 Suizhou,恩施土家族苗族自治州 Enshi",
    ),
    province(
        "43",
        "湖南省",
        "Hunan",
        66,
        "长沙 Changsha,株洲 Zhuzhou,湘潭 Xiangtan,衡阳 Hengyang,邵阳 Shaoyang,岳阳 Yueyang,常德 Changde,张家界 Zhangjiajie,\
         益阳 Yiyang,郴州 Chenzhou,永州 Yongzhou,怀化 Huaihua,娄底 Loudi,湘西土家族苗族自治州 Xiangxi",
    ),
    province(
        "44",
        "广东省",
        "Guangdong",
        127,
        "广州 Guangzhou,深圳 Shenzhen,珠海 Zhuhai,汕头 Shantou,佛山 Foshan,东莞 Dongguan,韶关 Shaoguan,河源 Heyuan,梅州 Meizhou,\
         惠州 Huizhou,汕尾 Shanwei,中山 Zhongshan,江门 Jiangmen,阳江 Yangjiang,湛江 Zhanjiang,茂名 Maoming,肇庆 Zhaoqing,\
         清远 Qingyuan,潮州 Chaozhou,揭阳 Jieyang,云浮 Yunfu",
    ),
    province(
        "45",
        "广西壮族自治区",
        "Guangxi",
        50,
        "南宁 Nanning,柳州 Liuzhou,桂林 Guilin,梧州 Wuzhou,北海 Beihai,防城港 Fangchenggang,钦州 Qinzhou,贵港 Guigang,\
         玉林 Yulin,百色 Baise,贺州 Hezhou,河池 Hechi,来宾 Laibin,崇左 Chongzuo",
    ),
    province("46", "海南省", "Hainan", 10, "海口 Haikou,三亚 Sanya,三沙 Sansha,儋州 Danzhou"),
    province(
        "50",
        "重庆市",
        "Chongqing",
        32,
        "渝中区 Yuzhong,江北区 Jiangbei,沙坪坝区 Shapingba,九龙坡区 Jiulongpo,南岸区 Nan'an,渝北区 Yubei,巴南区 Banan,\
         万州区 Wanzhou,涪陵区 Fuling,永川区 Yongchuan",
    ),
    province(
        "51",
        "四川省",
        "Sichuan",
        84,
        "成都 Chengdu,自贡 Zigong,攀枝花 Panzhihua,泸州 Luzhou,德阳 Deyang,绵阳 Mianyang,广元 Guangyuan,遂宁 Suining,\
         内江 Neijiang,乐山 Leshan,南充 Nanchong,眉山 Meishan,宜宾 Yibin,广安 Guang'an,达州 Dazhou,雅安 Ya'an,巴中 Bazhong,\
         资阳 Ziyang,凉山彝族自治州 Liangshan",
    ),
    province(
        "52",
        "贵州省",
        "Guizhou",
        39,
        "贵阳 Guiyang,六盘水 Liupanshui,遵义 Zunyi,安顺 Anshun,毕节 Bijie,铜仁 Tongren,黔东南苗族侗族自治州 Qiandongnan",
    ),
    province(
        "53",
        "云南省",
        "Yunnan",
        47,
        "昆明 Kunming,曲靖 Qujing,玉溪 Yuxi,保山 Baoshan,昭通 Zhaotong,丽江 Lijiang,普洱 Pu'er,临沧 Lincang,\
         大理白族自治州 Dali,红河哈尼族彝族自治州 Honghe",
    ),
    province(
        "54",
        "西藏自治区",
        "Tibet",
        4,
        "拉萨 Lhasa,日喀则 Shigatse,昌都 Chamdo,林芝 Nyingchi,山南 Lhoka,那曲 Nagqu",
    ),
    province(
        "61",
        "陕西省",
        "Shaanxi",
        40,
        "西安 Xi'an,铜川 Tongchuan,宝鸡 Baoji,咸阳 Xianyang,渭南 Weinan,延安 Yan'an,汉中 Hanzhong,榆林 Yulin,安康 Ankang,\
         商洛 Shangluo",
    ),
    province(
        "62",
        "甘肃省",
        "Gansu",
        25,
        "兰州 Lanzhou,嘉峪关 Jiayuguan,金昌 Jinchang,白银 Baiyin,天水 Tianshui,武威 Wuwei,张掖 Zhangye,平凉 Pingliang,\
         酒泉 Jiuquan,庆阳 Qingyang,定西 Dingxi,陇南 Longnan",
    ),
    province("63", "青海省", "Qinghai", 6, "西宁 Xining,海东 Haidong,海西蒙古族藏族自治州 Haixi"),
    province(
        "64",
        "宁夏回族自治区",
        "Ningxia",
        7,
        "银川 Yinchuan,石嘴山 Shizuishan,吴忠 Wuzhong,固原 Guyuan,中卫 Zhongwei",
    ),
    province(
        "65",
        "新疆维吾尔自治区",
        "Xinjiang",
        26,
        "乌鲁木齐 Ürümqi,克拉玛依 Karamay,吐鲁番 Turpan,哈密 Hami,喀什地区 Kashgar,阿克苏地区 Aksu,和田地区 Hotan,\
         伊犁哈萨克自治州 Ili",
    ),
];

/// Streets, for addresses and for the names of outlets: name and Latin name.
pub(crate) const STREETS: [(&str, &str); 24] = [
    ("人民路", "Renmin Road"),
    ("中山路", "Zhongshan Road"),
    ("解放路", "Jiefang Road"),
    ("建设路", "Jianshe Road"),
    ("和平街", "Heping Street"),
    ("新华路", "Xinhua Road"),
    ("文化路", "Wenhua Road"),
    ("长江路", "Changjiang Road"),
    ("黄河路", "Huanghe Road"),
    ("胜利街", "Shengli Street"),
    ("光明路", "Guangming Road"),
    ("东风路", "Dongfeng Road"),
    ("迎宾大道", "Yingbin Avenue"),
    ("学院路", "Xueyuan Road"),
    ("滨江路", "Binjiang Road"),
    ("科技路", "Keji Road"),
    ("友谊路", "Youyi Road"),
    ("公园路", "Gongyuan Road"),
    ("湖滨路", "Hubin Road"),
    ("工业大道", "Gongye Avenue"),
    ("朝阳路", "Chaoyang Road"),
    ("火车站", "Railway Station"),
    ("北大街", "North Street"),
    ("南大街", "South Street"),
];

/// Districts and counties below a city, for addresses.
pub(crate) const DISTRICTS: [&str; 12] = [
    "城关区",
    "新城区",
    "高新区",
    "开发区",
    "东湖区",
    "西山区",
    "南河区",
    "北岭区",
    "临江县",
    "安平县",
    "清河县",
    "龙泉县",
];
