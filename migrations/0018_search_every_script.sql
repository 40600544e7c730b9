-- Search without marks in every script: Vietnamese, Turkish, Baltic, Hungarian, Greek, Cyrillic.
--
-- The same letters as doorstep_shared::text::fold. What was folded before is folded anew: the generated column is written
-- again (one pass over orders, under a lock), and indexes on the function with it. Servers of the previous version ask
-- through the same function and need nothing new.

create or replace function search_fold(text) returns text language sql immutable strict parallel safe as $$
    select translate(
        replace(replace(replace(replace(replace(replace(lower(normalize($1, NFC)), 'ß', 'ss'), 'ẞ', 'ss'), 'þ', 'th'), 'Þ', 'th'), 'ĳ', 'ij'), 'Ĳ', 'ij'),
        'àÀáÁâÂãÃäÄåÅæÆāĀăĂąĄǎǍǟǞǡǠǣǢǻǺǽǼȁȀȃȂȧȦḁḀẚạẠảẢấẤầẦẩẨẫẪậẬắẮằẰẳẲẵẴặẶçÇćĆĉĈċĊčČḉḈèÈéÉêÊëËēĒĕĔėĖęĘěĚȅȄȇȆȩȨḕḔḗḖḙḘḛḚḝḜẹẸẻẺẽẼếẾềỀểỂễỄệỆìÌíÍîÎïÏĩĨīĪĭĬįĮıIǐǏȉȈȋȊḭḬḯḮỉỈịỊðÐďĎđĐḋḊḍḌḏḎḑḐḓḒñÑńŃņŅňŇŉŋŊǹǸṅṄṇṆṉṈṋṊòÒóÓôÔõÕöÖøØōŌŏŎőŐœŒơƠǒǑǫǪǭǬǿǾȍȌȏȎȫȪȭȬȯȮȱȰṍṌṏṎṑṐṓṒọỌỏỎốỐồỒổỔỗỖộỘớỚờỜởỞỡỠợỢùÙúÚûÛüÜũŨūŪŭŬůŮűŰųŲưƯǔǓǖǕǘǗǚǙǜǛȕȔȗȖṳṲṵṴṷṶṹṸṻṺụỤủỦứỨừỪửỬữỮựỰýÝÿŸŷŶȳȲẏẎẙỳỲỵỴỷỶỹỸĝĜğĞġĠģĢǧǦǵǴḡḠĥĤħĦȟȞḣḢḥḤḧḦḩḨḫḪẖĵĴǰķĶĸǩǨḱḰḳḲḵḴĺĹļĻľĽŀĿłŁḷḶḹḸḻḺḽḼŕŔŗŖřŘȑȐȓȒṙṘṛṚṝṜṟṞśŚŝŜşŞšŠſSșȘṡṠṣṢṥṤṧṦṩṨẛţŢťŤŧŦțȚṫṪṭṬṯṮṱṰẗŵŴẁẀẃẂẅẄẇẆẉẈẘźŹżŻžŽƶƵẑẐẓẒẕẔƀɃḃḂḅḄḇḆǯǮḟḞḿḾṁṀṃṂṕṔṗṖṽṼṿṾẋẊẍẌΐίΊϊΪἰἸἱἹἲἺἳἻἴἼἵἽἶἾἷἿὶῚίΊιΙῐῘῑῙῒΐῖῗάΆἀἈἁἉἂἊἃἋἄἌἅἍἆἎἇἏὰᾺάΆᾀᾁᾂᾃᾄᾅᾆᾇᾰᾸᾱᾹᾲᾳᾴᾶᾷέΈἐἘἑἙἒἚἓἛἔἜἕἝὲῈέΈήΉἠἨἡἩἢἪἣἫἤἬἥἭἦἮἧἯὴῊήΉᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇΰϋΫύΎὐὑὙὒὓὛὔὕὝὖὗὟὺῪύΎῠῨῡῩῢΰῦῧςΣόΌὀὈὁὉὂὊὃὋὄὌὅὍὸῸόΌώΏὠὨὡὩὢὪὣὫὤὬὥὭὦὮὧὯὼῺώΏᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷῤῥῬйЙѝЍӣӢӥӤѐЀёЁӗӖѓЃїЇќЌўЎӯӮӱӰӳӲѷѶӂӁӝӜӑӐӓӒӛӚӟӞӧӦӫӪӭӬӵӴӹӸΑΒΓΔΕΖΗΘΚΛΜΝΞΟΠΡΤΥΦΧΨΩАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏѠѢѤѦѨѪѬѮѰѲѴѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӃӅӇӉӋӍӔӘӠӨӶӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮ' || U&'\0300\0301\0302\0303\0304\0306\0307\0308\030A\030B\030C\0323\0327\0328\064B\064C\064D\064E\064F\0650\0651\0652\0640\0670',
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacccccccccccceeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiddddddddddddddddnnnnnnnnnnnnnnnnnnnnnoooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooouuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuyyyyyyyyyyyyyyyyyyygggggggggggggghhhhhhhhhhhhhhhhhjjjkkkkkkkkkkkllllllllllllllllllrrrrrrrrrrrrrrrrrrssssssssssssssssssssssstttttttttttttttttwwwwwwwwwwwwwzzzzzzzzzzzzzzbbbbbbbbʒʒffmmmmmmppppvvvvxxxxιιιιιιιιιιιιιιιιιιιιιιιιιιιιιιιιιιιαααααααααααααααααααααααααααααααααααααααεεεεεεεεεεεεεεεεεεηηηηηηηηηηηηηηηηηηηηηηηηηηηηηηηηηηηυυυυυυυυυυυυυυυυυυυυυυυυυυυυυσσοοοοοοοοοοοοοοοοοοωωωωωωωωωωωωωωωωωωωωωωωωωωωωωωωωωωωρρρииииииииееееееггііккууууууууѵѵжжжжааааәәззооөөээччыыαβγδεζηθκλμνξοπρτυφχψωабвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџѡѣѥѧѩѫѭѯѱѳѵѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӄӆӈӊӌӎӕәӡөӷӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯ')
$$;

-- Two saved pickups may have one name now.
update saved_pickups as pickup set name = left(pickup.name, 90) || ' ' || left(pickup.id::text, 8)
 where exists (select from saved_pickups as other
                where search_fold(other.name) = search_fold(pickup.name) and other.id < pickup.id);
reindex index saved_pickups_name_key;

alter table orders drop column search_text;
alter table orders add column search_text text not null generated always as (
    search_fold(reference || E'\n' || customer_name || E'\n' || dropoff_address || E'\n' || pickup_address || E'\n'
        || regexp_replace(coalesce(customer_phone, ''), '[^0-9]', '', 'g'))
) stored;

do $$
begin
    create index orders_search_text_idx on orders using gin (search_text gin_trgm_ops);
    reindex index orders_customer_email_idx;
exception when others then
    raise notice 'searching orders without an index: %', sqlerrm;
end
$$;
