/// Calls and what PostgreSQL 15 answered: kind (f function, s set, o operator, p prefix operator, c cast,
/// a aggregate) | name | argument types | arguments … | `=` result type `:` value, `NULL`, or `!`
/// SQLSTATE and message. Backslash escapes `\\`, `\t`, `\n` and `\p` for the bar; U+0001 is NULL.
let functionVectors = #"""
    o|+|int2,int2|17|-5|=smallint:12
    o|-|int2,int2|17|-5|=smallint:22
    o|*|int2,int2|17|-5|=smallint:-85
    o|/|int2,int2|17|-5|=smallint:-3
    o|%|int2,int2|17|-5|=smallint:2
    o|=|int2,int2|17|18|=boolean:f
    o|<>|int2,int2|17|18|=boolean:t
    o|<|int2,int2|17|18|=boolean:t
    o|<=|int2,int2|17|18|=boolean:t
    o|>|int2,int2|17|18|=boolean:f
    o|>=|int2,int2|17|18|=boolean:f
    o|/|int2,int2|1|0|!22012 division by zero
    o|+|int2,int4|17|-5|=integer:12
    o|-|int2,int4|17|-5|=integer:22
    o|*|int2,int4|17|-5|=integer:-85
    o|/|int2,int4|17|-5|=integer:-3
    o|%|int2,int4|17|-5|=integer:2
    o|=|int2,int4|17|18|=boolean:f
    o|<>|int2,int4|17|18|=boolean:t
    o|<|int2,int4|17|18|=boolean:t
    o|<=|int2,int4|17|18|=boolean:t
    o|>|int2,int4|17|18|=boolean:f
    o|>=|int2,int4|17|18|=boolean:f
    o|/|int2,int4|1|0|!22012 division by zero
    o|+|int2,int8|17|-5|=bigint:12
    o|-|int2,int8|17|-5|=bigint:22
    o|*|int2,int8|17|-5|=bigint:-85
    o|/|int2,int8|17|-5|=bigint:-3
    o|%|int2,int8|17|-5|=bigint:2
    o|=|int2,int8|17|18|=boolean:f
    o|<>|int2,int8|17|18|=boolean:t
    o|<|int2,int8|17|18|=boolean:t
    o|<=|int2,int8|17|18|=boolean:t
    o|>|int2,int8|17|18|=boolean:f
    o|>=|int2,int8|17|18|=boolean:f
    o|/|int2,int8|1|0|!22012 division by zero
    o|+|int4,int2|17|-5|=integer:12
    o|-|int4,int2|17|-5|=integer:22
    o|*|int4,int2|17|-5|=integer:-85
    o|/|int4,int2|17|-5|=integer:-3
    o|%|int4,int2|17|-5|=integer:2
    o|=|int4,int2|17|18|=boolean:f
    o|<>|int4,int2|17|18|=boolean:t
    o|<|int4,int2|17|18|=boolean:t
    o|<=|int4,int2|17|18|=boolean:t
    o|>|int4,int2|17|18|=boolean:f
    o|>=|int4,int2|17|18|=boolean:f
    o|/|int4,int2|1|0|!22012 division by zero
    o|+|int4,int4|17|-5|=integer:12
    o|-|int4,int4|17|-5|=integer:22
    o|*|int4,int4|17|-5|=integer:-85
    o|/|int4,int4|17|-5|=integer:-3
    o|%|int4,int4|17|-5|=integer:2
    o|=|int4,int4|17|18|=boolean:f
    o|<>|int4,int4|17|18|=boolean:t
    o|<|int4,int4|17|18|=boolean:t
    o|<=|int4,int4|17|18|=boolean:t
    o|>|int4,int4|17|18|=boolean:f
    o|>=|int4,int4|17|18|=boolean:f
    o|/|int4,int4|1|0|!22012 division by zero
    o|+|int4,int8|17|-5|=bigint:12
    o|-|int4,int8|17|-5|=bigint:22
    o|*|int4,int8|17|-5|=bigint:-85
    o|/|int4,int8|17|-5|=bigint:-3
    o|%|int4,int8|17|-5|=bigint:2
    o|=|int4,int8|17|18|=boolean:f
    o|<>|int4,int8|17|18|=boolean:t
    o|<|int4,int8|17|18|=boolean:t
    o|<=|int4,int8|17|18|=boolean:t
    o|>|int4,int8|17|18|=boolean:f
    o|>=|int4,int8|17|18|=boolean:f
    o|/|int4,int8|1|0|!22012 division by zero
    o|+|int8,int2|17|-5|=bigint:12
    o|-|int8,int2|17|-5|=bigint:22
    o|*|int8,int2|17|-5|=bigint:-85
    o|/|int8,int2|17|-5|=bigint:-3
    o|%|int8,int2|17|-5|=bigint:2
    o|=|int8,int2|17|18|=boolean:f
    o|<>|int8,int2|17|18|=boolean:t
    o|<|int8,int2|17|18|=boolean:t
    o|<=|int8,int2|17|18|=boolean:t
    o|>|int8,int2|17|18|=boolean:f
    o|>=|int8,int2|17|18|=boolean:f
    o|/|int8,int2|1|0|!22012 division by zero
    o|+|int8,int4|17|-5|=bigint:12
    o|-|int8,int4|17|-5|=bigint:22
    o|*|int8,int4|17|-5|=bigint:-85
    o|/|int8,int4|17|-5|=bigint:-3
    o|%|int8,int4|17|-5|=bigint:2
    o|=|int8,int4|17|18|=boolean:f
    o|<>|int8,int4|17|18|=boolean:t
    o|<|int8,int4|17|18|=boolean:t
    o|<=|int8,int4|17|18|=boolean:t
    o|>|int8,int4|17|18|=boolean:f
    o|>=|int8,int4|17|18|=boolean:f
    o|/|int8,int4|1|0|!22012 division by zero
    o|+|int8,int8|17|-5|=bigint:12
    o|-|int8,int8|17|-5|=bigint:22
    o|*|int8,int8|17|-5|=bigint:-85
    o|/|int8,int8|17|-5|=bigint:-3
    o|%|int8,int8|17|-5|=bigint:2
    o|=|int8,int8|17|18|=boolean:f
    o|<>|int8,int8|17|18|=boolean:t
    o|<|int8,int8|17|18|=boolean:t
    o|<=|int8,int8|17|18|=boolean:t
    o|>|int8,int8|17|18|=boolean:f
    o|>=|int8,int8|17|18|=boolean:f
    o|/|int8,int8|1|0|!22012 division by zero
    o|+|int4,int4|2147483647|1|!22003 integer out of range
    o|-|int4,int4|-2147483648|1|!22003 integer out of range
    o|*|int4,int4|65536|65536|!22003 integer out of range
    o|/|int4,int4|-2147483648|-1|!22003 integer out of range
    o|%|int4,int4|-2147483648|-1|=integer:0
    o|+|int2,int2|32767|1|!22003 smallint out of range
    o|*|int8,int8|9223372036854775807|2|!22003 bigint out of range
    o|+|int8,int4|9223372036854775807|1|!22003 bigint out of range
    o|/|int8,int8|-9223372036854775808|-1|!22003 bigint out of range
    o|%|int4,int4|5|0|!22012 division by zero
    o|&|int4,int4|12|10|=integer:8
    o|\p|int4,int4|12|10|=integer:14
    o|#|int4,int4|12|10|=integer:6
    o|<<|int4,int4|1|31|=integer:-2147483648
    o|<<|int4,int4|1|33|=integer:2
    o|>>|int4,int4|-8|1|=integer:-4
    o|<<|int8,int4|1|40|=bigint:1099511627776
    o|<<|int2,int4|1|15|=smallint:-32768
    o|+|int4,unknown|1|2|=integer:3
    o|+|unknown,int4|1|2|=integer:3
    o|+|int4,unknown|1|x|!22P02 invalid input syntax for type integer: "x"
    o|\p\p|int4,unknown|1|x|=text:1x
    o|\p\p|unknown,unknown|a|b|=text:ab
    o|\p\p|text,int4|a|5|=text:a5
    o|\p\p|int4,text|5|a|=text:5a
    o|+|int4,text|1|2|!42883 operator does not exist: integer + text
    o|+|int4,numeric|1|1.5|=numeric:2.5
    o|+|int4,float8|1|1.5|=double precision:2.5
    o|*|numeric,float8|1.5|2|=double precision:3
    o|+|int2,float4|1|1.5|=double precision:2.5
    o|+|int8,float4|1|1.5|=double precision:2.5
    o|=|int4,text|1|1|!42883 operator does not exist: integer = text
    o|=|int4,unknown|1|1|=boolean:t
    o|=|text,unknown|a|a|=boolean:t
    o|=|varchar,text|a|a|=boolean:t
    o|=|bpchar,bpchar|a  |a|=boolean:t
    o|=|bpchar,text|a  |a|=boolean:t
    o|=|varchar,bpchar|a  |a|=boolean:t
    o|=|name,text|a|a|=boolean:t
    o|<|name,name|a|b|=boolean:t
    o|=|unknown,unknown|a|a|=boolean:t
    o|<|unknown,unknown|1|2|=boolean:t
    o|+|unknown,unknown|1|2|!42725 operator is not unique: unknown + unknown
    o|-|date,unknown|2020-01-01|2019-01-01|=integer:365
    o|-|date,int4|2020-01-01|1|=date:2019-12-31
    o|+|date,interval|2020-01-01|1 month|=timestamp without time zone:2020-02-01 00:00:00
    o|+|date,time|2020-01-01|10:00|=timestamp without time zone:2020-01-01 10:00:00
    o|+|unknown,date|1 day|2020-01-01|!42725 operator is not unique: unknown + date
    o|-|timestamp,unknown|2020-01-01|1 day|!22007 invalid input syntax for type timestamp: "1 day"
    o|-|timestamp,timestamp|2020-01-02 03:00|2020-01-01|=interval:1 day 03:00:00
    o|+|timestamp,interval|2020-01-31|1 month|=timestamp without time zone:2020-02-29 00:00:00
    o|-|timestamp,interval|2020-03-31|1 month|=timestamp without time zone:2020-02-29 00:00:00
    o|+|timestamptz,interval|2020-01-31|1 mon 1 day 1 hour|=timestamp with time zone:2020-03-01 01:00:00+00
    o|-|timestamptz,timestamptz|2020-01-02|2020-01-01|=interval:1 day
    o|*|interval,float8|1 day 02:00|1.5|=interval:1 day 15:00:00
    o|*|interval,int4|1 mon|2|=interval:2 mons
    o|/|interval,int4|1 mon|2|=interval:15 days
    o|/|interval,float8|1 day|0|!22012 division by zero
    o|*|float8,interval|2|1 day|=interval:2 days
    o|+|interval,interval|1 day|25:00|=interval:1 day 25:00:00
    o|-|interval,interval|1 day|25:00|=interval:1 day -25:00:00
    o|+|time,interval|23:00|2:00|=time without time zone:01:00:00
    o|-|time,interval|01:00|2:00|=time without time zone:23:00:00
    o|-|time,time|01:00|02:00|=interval:-01:00:00
    o|-|date,int4|infinity|1|=date:infinity
    o|-|date,date|infinity|2020-01-01|!22008 cannot subtract infinite dates
    o|+|date,int4|5874897-12-31|1|!22008 date out of range
    o|+|timestamp,interval|infinity|1 day|=timestamp without time zone:infinity
    o|-|timestamp,timestamp|infinity|infinity|!22008 cannot subtract infinite timestamps
    o|+|timestamp,interval|294276-12-31|1 day|!22008 timestamp out of range
    o|=|date,timestamp|2020-01-01|2020-01-01|=boolean:t
    o|<|date,timestamptz|2020-01-01|2020-01-02|=boolean:t
    o|>|timestamp,timestamptz|2020-01-01|2020-01-02|=boolean:f
    o|<|interval,interval|1 mon|31 days|=boolean:t
    o|=|interval,interval|1 mon|30 days|=boolean:t
    o|=|bool,unknown|t|true|=boolean:t
    o|<|bool,bool|f|t|=boolean:t
    o|=|uuid,unknown|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11|=boolean:t
    o|\p\p|bytea,bytea|\\x01|\\x02|=bytea:\\x0102
    o|<|bytea,bytea|\\x01|\\x0100|=boolean:t
    o|\p\p|int4[],int4[]|{1,2}|{3}|=integer[]:{1,2,3}
    o|\p\p|int4[],int4|{1,2}|3|=integer[]:{1,2,3}
    o|\p\p|int4,int4[]|0|{1,2}|=integer[]:{0,1,2}
    o|\p\p|int4[],unknown|{1,2}|{5}|=integer[]:{1,2,5}
    o|@>|int4[],int4[]|{1,2}|{1}|=boolean:t
    o|<@|int4[],int4[]|{1,2}|{1}|=boolean:f
    o|&&|int4[],int4[]|{1,2}|{2,3}|=boolean:t
    o|=|int4[],unknown|{1,2}|{1,2}|=boolean:t
    o|<|int4[],int4[]|{1,2}|{1,3}|=boolean:t
    o|~~|text,unknown|abc|a%|=boolean:t
    o|~~|text,unknown|abc|_b_|=boolean:t
    o|!~~|text,unknown|abc|a%|=boolean:f
    o|~~*|text,unknown|ABC|a%c|=boolean:t
    o|~~|text,unknown|a%c|a\\%c|=boolean:t
    o|~~|text,unknown|abc|abc\\|=boolean:f
    o|~~|text,unknown|ééa|__a|=boolean:t
    o|~~|text,unknown|mississippi|%iss%ip%|=boolean:t
    o|~~|text,unknown||%|=boolean:t
    o|~~|text,unknown|a||=boolean:f
    o|~|text,unknown|abc|^a.c$|=boolean:t
    o|~*|text,unknown|ABC|b|=boolean:t
    o|!~|text,unknown|abc|x|=boolean:t
    o|!~*|text,unknown|ABC|b|=boolean:f
    o|~|text,unknown|foobar|(foo\pbar)+$|=boolean:t
    o|~|text,unknown|a1b|[[:digit:]]|=boolean:t
    o|~|text,unknown|a1b|\\d|=boolean:t
    o|~|text,unknown|a|(|!2201B invalid regular expression: parentheses () not balanced
    o|~|text,unknown|a|[|!2201B invalid regular expression: brackets [] not balanced
    o|~|text,unknown|a|*|!2201B invalid regular expression: quantifier operand invalid
    o|~|text,unknown|aaa|^a{2,3}$|=boolean:t
    o|~|text,unknown|x_y|\\w_\\w|=boolean:t
    o|~|text,unknown|abab|^(ab)\\1$|=boolean:t
    o|~|text,unknown|foo bar|\\mbar\\M|=boolean:t
    o|~|name,unknown|pg_class|^(pg_class)$|=boolean:t
    o|~|text,unknown|é|^.$|=boolean:t
    o|~|text,unknown|a\nb|a.b|=boolean:t
    o|~|text,unknown|a\nb|^b|=boolean:f
    o|~|text,unknown|ABC|(?i)abc|=boolean:t
    o|~|text,unknown|foobar|foo(?=bar)|=boolean:t
    o|~|text,unknown|foobaz|foo(?!bar)|=boolean:t
    o|^@|text,text|abc|ab|=boolean:t
    o|^|float8,float8|2|3|=double precision:8
    o|^|int4,int4|2|3|=double precision:8
    o|^|numeric,numeric|2|0.5|=numeric:1.4142135623730950
    o|^|float8,float8|-8|0.5|!2201F a negative number raised to a non-integer power yields a complex result
    o|+|numeric,numeric|1.10|2.234|=numeric:3.334
    o|-|numeric,numeric|1.10|1.1|=numeric:0.00
    o|*|numeric,numeric|1.10|1.10|=numeric:1.2100
    o|/|numeric,numeric|1|3|=numeric:0.33333333333333333333
    o|/|numeric,numeric|10|3.00|=numeric:3.3333333333333333
    o|/|numeric,numeric|1|30000|=numeric:0.000033333333333333333333
    o|/|numeric,numeric|0.0001|7|=numeric:0.000014285714285714285714
    o|/|numeric,numeric|123456789|0.001|=numeric:123456789000.00000000
    o|/|numeric,numeric|1e30|7|=numeric:142857142857142857142857142857
    o|/|numeric,numeric|1|0|!22012 division by zero
    o|/|numeric,numeric|NaN|0|=numeric:NaN
    o|/|numeric,numeric|Infinity|Infinity|=numeric:NaN
    o|%|numeric,numeric|10.5|3|=numeric:1.5
    o|%|numeric,numeric|-10.5|3|=numeric:-1.5
    o|%|numeric,numeric|5|0|!22012 division by zero
    o|+|numeric,numeric|99999999999999999999|1|=numeric:100000000000000000000
    o|*|numeric,numeric|99999999999999999999.99|99999999999999999999.99|=numeric:9999999999999999999998000000000000000000.0001
    o|+|numeric,numeric|Infinity|-Infinity|=numeric:NaN
    o|=|numeric,numeric|1.0|1.00|=boolean:t
    o|<|numeric,numeric|NaN|1|=boolean:f
    o|>|numeric,numeric|NaN|Infinity|=boolean:t
    o|/|float8,float8|1|0|!22012 division by zero
    o|*|float8,float8|1e308|10|!22003 value out of range: overflow
    o|*|float8,float8|1e-300|1e-300|!22003 value out of range: underflow
    o|/|float8,float8|1|3|=double precision:0.3333333333333333
    o|+|float4,float4|1.1|2.2|=real:3.3000002
    o|*|float4,float4|1e38|10|!22003 value out of range: overflow
    o|=|float8,float8|NaN|NaN|=boolean:t
    o|<|float8,float8|NaN|Infinity|=boolean:f
    o|+|float4,float8|0.1|0.2|=double precision:0.30000000149011613
    o|=|oid,int4|5|5|=boolean:t
    o|=|oid,unknown|5|5|=boolean:t
    o|=|regclass,oid|0|0|=boolean:t
    o|=|"char",unknown|r|r|=boolean:t
    o|=|"char",text|r|r|=boolean:t
    o|->|text,text|a|b|!42883 operator does not exist: text -> text
    o|~~|int4,unknown|1|1|!42883 operator does not exist: integer ~~ unknown
    o|~~|bpchar,unknown|ab |ab%|=boolean:t
    o|\p\p|text,unknown|a|b|=text:ab
    o|\p\p|unknown,name|a|b|=text:ab
    o|\p\p|varchar,varchar|a|b|=text:ab
    o|\p\p|bpchar,bpchar|a  |b|=text:ab
    o|\p\p|bool,text|t|x|=text:truex
    o|\p\p|date,text|2020-01-01|x|=text:2020-01-01x
    o|\p\p|text[],text|{a}|b|=text[]:{a,b}
    o|\p\p|text[],unknown|{a}|b|!22P02 malformed array literal: "b"
    o|\p\p|int4[],text|{1}|x|!42883 operator does not exist: integer[] \p\p text
    o|<>|int4,int4|1|1|=boolean:f
    o|!=|int4,int4|1|1|=boolean:f
    o|=|int4[],text[]|{1}|{1}|!42883 operator does not exist: integer[] = text[]
    o|+|text,text|a|b|!42883 operator does not exist: text + text
    o|+|bool,bool|t|t|!42883 operator does not exist: boolean + boolean
    o|=|bool,int4|t|1|!42883 operator does not exist: boolean = integer
    o|-|unknown,date|2020-01-02|2020-01-01|=integer:1
    o|-|unknown,timestamp|2020-01-02|2020-01-01|=interval:1 day
    o|+|time,date|10:00|2020-01-01|=timestamp without time zone:2020-01-01 10:00:00
    p|-|int4|5|=integer:-5
    p|-|int4|-2147483648|!22003 integer out of range
    p|-|int2|-32768|!22003 smallint out of range
    p|-|int8|-9223372036854775808|!22003 bigint out of range
    p|-|numeric|1.5|=numeric:-1.5
    p|-|float8|1.5|=double precision:-1.5
    p|-|float4|2|=real:-2
    p|-|interval|1 day -02:00|=interval:-1 days +02:00:00
    p|-|text|a|!42883 operator does not exist: - text
    p|-|unknown|5|!42725 operator is not unique: - unknown
    p|-|unknown|a|!42725 operator is not unique: - unknown
    p|+|int4|5|=integer:5
    p|+|numeric|1.5|=numeric:1.5
    p|+|text|a|!42883 operator does not exist: + text
    p|+|unknown|5|=double precision:5
    p|~|int4|5|=integer:-6
    p|~|int8|5|=bigint:-6
    p|@|int4|-5|=integer:5
    p|@|numeric|-5.5|=numeric:5.5
    p|\p/|float8|25|=double precision:5
    p|\p\p/|float8|27|=double precision:3.0000000000000004
    p|!!|int4|5|!42883 operator does not exist: !! integer
    f|length|text|abc|=integer:3
    f|char_length|text|abc|=integer:3
    f|octet_length|text|abc|=integer:3
    f|bit_length|text|abc|=integer:24
    f|lower|text|abc|=text:abc
    f|upper|text|abc|=text:ABC
    f|initcap|text|abc|=text:Abc
    f|reverse|text|abc|=text:cba
    f|md5|text|abc|=text:900150983cd24fb0d6963f7d28e17f72
    f|ascii|text|abc|=integer:97
    f|quote_ident|text|abc|=text:abc
    f|quote_literal|text|abc|=text:'abc'
    f|btrim|text|abc|=text:abc
    f|ltrim|text|abc|=text:abc
    f|rtrim|text|abc|=text:abc
    f|character_length|text|abc|=integer:3
    f|length|text||=integer:0
    f|char_length|text||=integer:0
    f|octet_length|text||=integer:0
    f|bit_length|text||=integer:0
    f|lower|text||=text:
    f|upper|text||=text:
    f|initcap|text||=text:
    f|reverse|text||=text:
    f|md5|text||=text:d41d8cd98f00b204e9800998ecf8427e
    f|ascii|text||=integer:0
    f|quote_ident|text||=text:""
    f|quote_literal|text||=text:''
    f|btrim|text||=text:
    f|ltrim|text||=text:
    f|rtrim|text||=text:
    f|character_length|text||=integer:0
    f|length|text|éa|=integer:2
    f|char_length|text|éa|=integer:2
    f|octet_length|text|éa|=integer:3
    f|bit_length|text|éa|=integer:24
    f|lower|text|éa|=text:éa
    f|upper|text|éa|=text:ÉA
    f|initcap|text|éa|=text:Éa
    f|reverse|text|éa|=text:aé
    f|md5|text|éa|=text:1e11c16bd6c77c44466d9ea22c3e6ac0
    f|ascii|text|éa|=integer:233
    f|quote_ident|text|éa|=text:"éa"
    f|quote_literal|text|éa|=text:'éa'
    f|btrim|text|éa|=text:éa
    f|ltrim|text|éa|=text:éa
    f|rtrim|text|éa|=text:éa
    f|character_length|text|éa|=integer:2
    f|length|text|Hello World|=integer:11
    f|char_length|text|Hello World|=integer:11
    f|octet_length|text|Hello World|=integer:11
    f|bit_length|text|Hello World|=integer:88
    f|lower|text|Hello World|=text:hello world
    f|upper|text|Hello World|=text:HELLO WORLD
    f|initcap|text|Hello World|=text:Hello World
    f|reverse|text|Hello World|=text:dlroW olleH
    f|md5|text|Hello World|=text:b10a8db164e0754105b7a99be72e3fe5
    f|ascii|text|Hello World|=integer:72
    f|quote_ident|text|Hello World|=text:"Hello World"
    f|quote_literal|text|Hello World|=text:'Hello World'
    f|btrim|text|Hello World|=text:Hello World
    f|ltrim|text|Hello World|=text:Hello World
    f|rtrim|text|Hello World|=text:Hello World
    f|character_length|text|Hello World|=integer:11
    f|length|bpchar|ab   |=integer:2
    f|octet_length|bpchar|ab   |=integer:5
    f|length|bytea|\\x0102|=integer:2
    f|upper|unknown|abc|=text:ABC
    f|lower|varchar|ABC|=text:abc
    f|length|name|abc|=integer:3
    f|upper|int4|5|!42883 function upper(integer) does not exist
    f|lower|bpchar|AB |=text:ab
    f|substr|text,int4,int4|abcdef|2|3|=text:bcd
    f|substring|text,int4,int4|abcdef|2|3|=text:bcd
    f|substr|text,int4,int4|abcdef|0|3|=text:ab
    f|substring|text,int4,int4|abcdef|0|3|=text:ab
    f|substr|text,int4,int4|abcdef|-2|5|=text:ab
    f|substring|text,int4,int4|abcdef|-2|5|=text:ab
    f|substr|text,int4,int4|abcdef|2|-1|!22011 negative substring length not allowed
    f|substring|text,int4,int4|abcdef|2|-1|!22011 negative substring length not allowed
    f|substr|text,int4,int4|abcdef|10|3|=text:
    f|substring|text,int4,int4|abcdef|10|3|=text:
    f|substr|text,int4,int4|éàü|2|1|=text:à
    f|substring|text,int4,int4|éàü|2|1|=text:à
    f|substr|text,int4,int4|abc|2|2147483647|=text:bc
    f|substring|text,int4,int4|abc|2|2147483647|=text:bc
    f|substr|text,int4|abc|2|=text:bc
    f|substring|text,text|foobar|o.b|=text:oob
    f|substring|text,text|foobar|o(.)b|=text:o
    f|substring|unknown,int4|foobar|3|=text:obar
    f|substring|bytea,int4,int4|\\x010203|2|1|=bytea:\\x02
    f|position|text,text|foobar|bar|=integer:4
    f|strpos|text,text|éab|a|=integer:2
    f|strpos|text,text|abc||=integer:1
    f|strpos|text,text|abc|z|=integer:0
    f|btrim|text,text|xxabcxx|x|=text:abc
    f|btrim|text,text|abc||=text:abc
    f|btrim|unknown|  a |=text:a
    f|ltrim|text,text|xxabcxx|x|=text:abcxx
    f|ltrim|text,text|abc||=text:abc
    f|ltrim|unknown|  a |=text:a 
    f|rtrim|text,text|xxabcxx|x|=text:xxabc
    f|rtrim|text,text|abc||=text:abc
    f|rtrim|unknown|  a |=text:  a
    f|replace|text,text,text|aXbXc|X|--|=text:a--b--c
    f|replace|text,text,text|abc||x|=text:abc
    f|replace|text,text,text|aaa|aa|b|=text:ba
    f|left|text,int4|abcde|2|=text:ab
    f|left|text,int4|abcde|-2|=text:abc
    f|right|text,int4|abcde|2|=text:de
    f|right|text,int4|abcde|-2|=text:cde
    f|left|text,int4|a|-5|=text:
    f|right|text,int4|éa|1|=text:a
    f|lpad|text,int4|hi|5|=text:   hi
    f|lpad|text,int4,text|hi|5|xy|=text:xyxhi
    f|rpad|text,int4,text|hi|5|xy|=text:hixyx
    f|lpad|text,int4|hello|2|=text:he
    f|rpad|text,int4|hi|-1|=text:
    f|lpad|text,int4,text|hi|5||=text:hi
    f|split_part|text,text,int4|a,b,c|,|1|=text:a
    f|split_part|text,text,int4|a,b,c|,|2|=text:b
    f|split_part|text,text,int4|a,b,c|,|3|=text:c
    f|split_part|text,text,int4|a,b,c|,|4|=text:
    f|split_part|text,text,int4|a,b,c|,|-1|=text:c
    f|split_part|text,text,int4|a,b,c|,|-2|=text:b
    f|split_part|text,text,int4|a,b,c|,|0|!22023 field position must not be zero
    f|split_part|text,text,int4|abc||1|=text:abc
    f|split_part|text,text,int4||,|1|=text:
    f|split_part|text,text,int4|a,b|,|-5|=text:
    f|concat|unknown,int4,bool,int4,numeric|a|1|t|\#u{1}|1.50|=text:a1t1.50
    f|concat_ws|unknown,unknown,text,int4|,|a|\#u{1}|2|=text:a,2
    f|concat_ws|text,unknown,unknown|\#u{1}|a|b|NULL
    f|concat|text|\#u{1}|=text:
    f|repeat|text,int4|ab|3|=text:ababab
    f|repeat|text,int4|ab|-1|=text:
    f|chr|int4|65|=text:A
    f|chr|int4|0|!54000 null character not permitted
    f|chr|int4|233|=text:é
    f|chr|int4|-5|!22023 character number must be positive
    f|translate|text,text,text|12345|143|ax|=text:a2x5
    f|overlay|text,text,int4,int4|Txxxxas|hom|2|4|=text:Thomas
    f|overlay|text,text,int4|abcdef|XX|3|=text:abXXef
    f|format|unknown,unknown,unknown,unknown|Hello %s, %1$s %I %L|World|a b|it's|=text:Hello World, World "a b" 'it''s'
    f|format|unknown|%%|=text:%
    f|format|unknown|%s|!22023 too few arguments for format()
    f|format|unknown,int4|%x|1|!22023 unrecognized format() type specifier "x"
    f|format|unknown,unknown,unknown|\p%10s\p%-10s\p|a|b|=text:\p         a\pb         \p
    f|format|unknown,int4,int4|%2$s %1$s|1|2|=text:2 1
    f|format|unknown,text|%s|\#u{1}|=text:
    f|format|unknown,text|%I|\#u{1}|!22004 null values cannot be formatted as an SQL identifier
    f|format|unknown,text|%L|\#u{1}|=text:NULL
    f|format|unknown,int4,unknown|%*s|5|a|=text:    a
    f|quote_ident|text|select|=text:"select"
    f|quote_ident|text|Foo|=text:"Foo"
    f|quote_ident|text|a"b|=text:"a""b"
    f|quote_literal|text|a'b\\c|=text:E'a''b\\\\c'
    f|quote_literal|int4|5|=text:'5'
    f|quote_nullable|text|\#u{1}|=text:NULL
    f|quote_nullable|int4|5|=text:'5'
    f|to_hex|int4|255|=text:ff
    f|to_hex|int4|-1|=text:ffffffff
    f|to_hex|int8|-1|=text:ffffffffffffffff
    f|starts_with|text,text|abc|ab|=boolean:t
    f|ascii|text|é|=integer:233
    f|encode|bytea,unknown|\\x0102ff5c|hex|=text:0102ff5c
    f|encode|bytea,unknown|\\x0102ff5c|base64|=text:AQL/XA==
    f|encode|bytea,unknown|\\x0102ff5c|escape|=text:\#u{1}\#u{2}\\377\\\\
    f|decode|unknown,unknown|AQL/XA==|base64|=bytea:\\x0102ff5c
    f|decode|unknown,unknown|0102|hex|=bytea:\\x0102
    f|decode|unknown,unknown|a\\001|escape|=bytea:\\x6101
    f|decode|unknown,unknown|x|foo|!22023 unrecognized encoding: "foo"
    f|decode|unknown,unknown|AQ|base64|!22023 invalid base64 end sequence
    f|sha256|bytea|\\x616263|=bytea:\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
    f|sha224|bytea|\\x616263|=bytea:\\x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7
    f|md5|bytea|\\x616263|=text:900150983cd24fb0d6963f7d28e17f72
    f|regexp_replace|text,text,text|foobarbaz|b..|X|=text:fooXbaz
    f|regexp_replace|text,text,text,text|foobarbaz|b..|X|g|=text:fooXX
    f|regexp_replace|text,text,text,text|foobarbaz|b(..)|X\\1Y|g|=text:fooXarYXazY
    f|regexp_replace|text,text,text,text|abc|(?:)|-|g|=text:-a-b-c-
    f|regexp_replace|text,text,text,text|ABC|b|x|i|=text:AxC
    f|regexp_replace|text,text,text|abc|b|[\\&]|=text:a[b]c
    f|regexp_replace|text,text,text,text|a|a|b|z|!22023 invalid regular expression option: "z"
    f|regexp_match|text,text|foobarbequebaz|bar.*que|=text[]:{barbeque}
    f|regexp_match|text,text|foobarbequebaz|(bar)(beque)|=text[]:{bar,beque}
    f|regexp_match|text,text|abc|x|NULL
    f|regexp_split_to_array|text,text|hello world foo|\\s+|=text[]:{hello,world,foo}
    f|regexp_split_to_array|text,text|abc||=text[]:{a,b,c}
    f|regexp_split_to_array|text,text|a,b,,c|,|=text[]:{a,b,"",c}
    f|regexp_count|text,text|ABCABC|[A-C]|=integer:6
    f|regexp_like|text,text,text|abc|B|i|=boolean:t
    f|regexp_substr|text,text|abcdef|c.|=text:cd
    f|regexp_instr|text,text|abcdef|c.|=integer:3
    f|similar_to_escape|text|%(b\pd)%|=text:^(?:.*(?:b\pd).*)$
    f|like_escape|text,text|a#%b|#|=text:a\\%b
    f|parse_ident|text|"SomeSchema".sometable|=text[]:{SomeSchema,sometable}
    f|parse_ident|text|a.b.c|=text[]:{a,b,c}
    f|string_to_array|text,text|a,b,c|,|=text[]:{a,b,c}
    f|string_to_array|text,text,text|a,b,NULL|,|NULL|=text[]:{a,b,NULL}
    f|string_to_array|text,text|abc|\#u{1}|=text[]:{a,b,c}
    f|string_to_array|text,text||,|=text[]:{}
    f|array_to_string|int4[],text|{1,2,NULL,3}|,|=text:1,2,3
    f|array_to_string|int4[],text,text|{1,2,NULL,3}|,|*|=text:1,2,*,3
    f|abs|float8|2.5|=double precision:2.5
    f|abs|float8|-2.5|=double precision:2.5
    f|abs|numeric|2.5|=numeric:2.5
    f|abs|int4|4|=integer:4
    f|abs|float8|0.5|=double precision:0.5
    f|abs|numeric|0|=numeric:0
    f|abs|int8|-3|=bigint:3
    f|sign|float8|2.5|=double precision:1
    f|sign|float8|-2.5|=double precision:-1
    f|sign|numeric|2.5|=numeric:1
    f|sign|int4|4|=double precision:1
    f|sign|float8|0.5|=double precision:1
    f|sign|numeric|0|=numeric:0
    f|sign|int8|-3|=double precision:-1
    f|ceil|float8|2.5|=double precision:3
    f|ceil|float8|-2.5|=double precision:-2
    f|ceil|numeric|2.5|=numeric:3
    f|ceil|int4|4|=double precision:4
    f|ceil|float8|0.5|=double precision:1
    f|ceil|numeric|0|=numeric:0
    f|ceil|int8|-3|=double precision:-3
    f|ceiling|float8|2.5|=double precision:3
    f|ceiling|float8|-2.5|=double precision:-2
    f|ceiling|numeric|2.5|=numeric:3
    f|ceiling|int4|4|=double precision:4
    f|ceiling|float8|0.5|=double precision:1
    f|ceiling|numeric|0|=numeric:0
    f|ceiling|int8|-3|=double precision:-3
    f|floor|float8|2.5|=double precision:2
    f|floor|float8|-2.5|=double precision:-3
    f|floor|numeric|2.5|=numeric:2
    f|floor|int4|4|=double precision:4
    f|floor|float8|0.5|=double precision:0
    f|floor|numeric|0|=numeric:0
    f|floor|int8|-3|=double precision:-3
    f|round|float8|2.5|=double precision:2
    f|round|float8|-2.5|=double precision:-2
    f|round|numeric|2.5|=numeric:3
    f|round|int4|4|=double precision:4
    f|round|float8|0.5|=double precision:0
    f|round|numeric|0|=numeric:0
    f|round|int8|-3|=double precision:-3
    f|trunc|float8|2.5|=double precision:2
    f|trunc|float8|-2.5|=double precision:-2
    f|trunc|numeric|2.5|=numeric:2
    f|trunc|int4|4|=double precision:4
    f|trunc|float8|0.5|=double precision:0
    f|trunc|numeric|0|=numeric:0
    f|trunc|int8|-3|=double precision:-3
    f|sqrt|float8|2.5|=double precision:1.5811388300841898
    f|sqrt|float8|-2.5|!2201F cannot take square root of a negative number
    f|sqrt|numeric|2.5|=numeric:1.581138830084190
    f|sqrt|int4|4|=double precision:2
    f|sqrt|float8|0.5|=double precision:0.7071067811865476
    f|sqrt|numeric|0|=numeric:0.000000000000000
    f|sqrt|int8|-3|!2201F cannot take square root of a negative number
    f|exp|float8|2.5|=double precision:12.182493960703473
    f|exp|float8|-2.5|=double precision:0.0820849986238988
    f|exp|numeric|2.5|=numeric:12.182493960703473
    f|exp|int4|4|=double precision:54.598150033144236
    f|exp|float8|0.5|=double precision:1.6487212707001282
    f|exp|numeric|0|=numeric:1.0000000000000000
    f|exp|int8|-3|=double precision:0.049787068367863944
    f|ln|float8|2.5|=double precision:0.9162907318741551
    f|ln|float8|-2.5|!2201E cannot take logarithm of a negative number
    f|ln|numeric|2.5|=numeric:0.9162907318741551
    f|ln|int4|4|=double precision:1.3862943611198906
    f|ln|float8|0.5|=double precision:-0.6931471805599453
    f|ln|numeric|0|!2201E cannot take logarithm of zero
    f|ln|int8|-3|!2201E cannot take logarithm of a negative number
    f|log|float8|2.5|=double precision:0.3979400086720376
    f|log|float8|-2.5|!2201E cannot take logarithm of a negative number
    f|log|numeric|2.5|=numeric:0.3979400086720376
    f|log|int4|4|=double precision:0.6020599913279624
    f|log|float8|0.5|=double precision:-0.3010299956639812
    f|log|numeric|0|!2201E cannot take logarithm of zero
    f|log|int8|-3|!2201E cannot take logarithm of a negative number
    f|cbrt|float8|2.5|=double precision:1.3572088082974532
    f|cbrt|float8|-2.5|=double precision:-1.3572088082974532
    f|cbrt|numeric|2.5|=double precision:1.3572088082974532
    f|cbrt|int4|4|=double precision:1.5874010519681996
    f|cbrt|float8|0.5|=double precision:0.7937005259840998
    f|cbrt|numeric|0|=double precision:0
    f|cbrt|int8|-3|=double precision:-1.4422495703074083
    f|round|numeric,int4|123.456|2|=numeric:123.46
    f|round|numeric,int4|123.456|-2|=numeric:100
    f|round|numeric,int4|-123.455|2|=numeric:-123.46
    f|round|numeric,int4|2.5|0|=numeric:3
    f|round|numeric,int4|-2.5|0|=numeric:-3
    f|round|numeric,int4|150|-2|=numeric:200
    f|round|numeric,int4|1e10|-12|=numeric:0
    f|round|numeric,int4|0.00005|4|=numeric:0.0001
    f|round|numeric,int4|123.456|10|=numeric:123.4560000000
    f|trunc|numeric,int4|123.456|2|=numeric:123.45
    f|trunc|numeric,int4|123.456|-2|=numeric:100
    f|trunc|numeric,int4|-123.455|2|=numeric:-123.45
    f|trunc|numeric,int4|2.5|0|=numeric:2
    f|trunc|numeric,int4|-2.5|0|=numeric:-2
    f|trunc|numeric,int4|150|-2|=numeric:100
    f|trunc|numeric,int4|1e10|-12|=numeric:0
    f|trunc|numeric,int4|0.00005|4|=numeric:0.0000
    f|trunc|numeric,int4|123.456|10|=numeric:123.4560000000
    f|round|float8,int4|2.567|2|!42883 function round(double precision, integer) does not exist
    f|round|float8|3.5|=double precision:4
    f|round|numeric|NaN|=numeric:NaN
    f|sqrt|numeric|2|=numeric:1.414213562373095
    f|ln|numeric|2|=numeric:0.6931471805599453
    f|log|numeric|2|=numeric:0.3010299956639812
    f|log10|numeric|2|=numeric:0.3010299956639812
    f|sqrt|numeric|3|=numeric:1.732050807568877
    f|ln|numeric|3|=numeric:1.0986122886681097
    f|log|numeric|3|=numeric:0.4771212547196624
    f|log10|numeric|3|=numeric:0.4771212547196624
    f|sqrt|numeric|10|=numeric:3.162277660168379
    f|ln|numeric|10|=numeric:2.3025850929940457
    f|log|numeric|10|=numeric:1.0000000000000000
    f|log10|numeric|10|=numeric:1.0000000000000000
    f|sqrt|numeric|20000|=numeric:141.4213562373095
    f|ln|numeric|20000|=numeric:9.9034875525361280
    f|log|numeric|20000|=numeric:4.3010299956639812
    f|log10|numeric|20000|=numeric:4.3010299956639812
    f|sqrt|numeric|0.0002|=numeric:0.01414213562373095
    f|ln|numeric|0.0002|=numeric:-8.5171931914162374
    f|log|numeric|0.0002|=numeric:-3.6989700043360188
    f|log10|numeric|0.0002|=numeric:-3.6989700043360188
    f|sqrt|numeric|0.5|=numeric:0.70710678118654752
    f|ln|numeric|0.5|=numeric:-0.6931471805599453
    f|log|numeric|0.5|=numeric:-0.3010299956639812
    f|log10|numeric|0.5|=numeric:-0.3010299956639812
    f|sqrt|numeric|1e-10|=numeric:0.000010000000000000000
    f|ln|numeric|1e-10|=numeric:-23.025850929940457
    f|log|numeric|1e-10|=numeric:-10.000000000000000
    f|log10|numeric|1e-10|=numeric:-10.000000000000000
    f|sqrt|numeric|1e20|=numeric:10000000000.00000
    f|ln|numeric|1e20|=numeric:46.051701859880914
    f|log|numeric|1e20|=numeric:20.000000000000000
    f|log10|numeric|1e20|=numeric:20.000000000000000
    f|sqrt|numeric|123456789.123456789|=numeric:11111.11106611111
    f|ln|numeric|123456789.123456789|=numeric:18.631401767168018
    f|log|numeric|123456789.123456789|=numeric:8.091514977603565
    f|log10|numeric|123456789.123456789|=numeric:8.091514977603565
    f|sqrt|numeric|0.01|=numeric:0.10000000000000000
    f|ln|numeric|0.01|=numeric:-4.6051701859880914
    f|log|numeric|0.01|=numeric:-2.0000000000000000
    f|log10|numeric|0.01|=numeric:-2.0000000000000000
    f|sqrt|numeric|99999999|=numeric:9999.9999499999999
    f|ln|numeric|99999999|=numeric:18.420680733952365
    f|log|numeric|99999999|=numeric:7.999999995657055
    f|log10|numeric|99999999|=numeric:7.999999995657055
    f|sqrt|numeric|100|=numeric:10.000000000000000
    f|ln|numeric|100|=numeric:4.6051701859880914
    f|log|numeric|100|=numeric:2.0000000000000000
    f|log10|numeric|100|=numeric:2.0000000000000000
    f|sqrt|numeric|10000|=numeric:100.0000000000000
    f|ln|numeric|10000|=numeric:9.2103403719761827
    f|log|numeric|10000|=numeric:4.0000000000000000
    f|log10|numeric|10000|=numeric:4.0000000000000000
    f|sqrt|numeric|0.1|=numeric:0.31622776601683793
    f|ln|numeric|0.1|=numeric:-2.3025850929940457
    f|log|numeric|0.1|=numeric:-1.0000000000000000
    f|log10|numeric|0.1|=numeric:-1.0000000000000000
    f|sqrt|numeric|0.09|=numeric:0.30000000000000000
    f|ln|numeric|0.09|=numeric:-2.4079456086518720
    f|log|numeric|0.09|=numeric:-1.0457574905606751
    f|log10|numeric|0.09|=numeric:-1.0457574905606751
    f|sqrt|numeric|1e9|=numeric:31622.77660168379
    f|ln|numeric|1e9|=numeric:20.723265836946411
    f|log|numeric|1e9|=numeric:9.000000000000000
    f|log10|numeric|1e9|=numeric:9.000000000000000
    f|sqrt|numeric|3.00000000000000000000|=numeric:1.73205080756887729353
    f|ln|numeric|3.00000000000000000000|=numeric:1.09861228866810969140
    f|log|numeric|3.00000000000000000000|=numeric:0.47712125471966243730
    f|log10|numeric|3.00000000000000000000|=numeric:0.47712125471966243730
    f|exp|numeric|0|=numeric:1.0000000000000000
    f|exp|numeric|1|=numeric:2.7182818284590452
    f|exp|numeric|-1|=numeric:0.3678794411714423
    f|exp|numeric|2.5|=numeric:12.182493960703473
    f|exp|numeric|10|=numeric:22026.465794806717
    f|exp|numeric|-10|=numeric:0.00004539992976248485
    f|exp|numeric|100|=numeric:26881171418161354484126255515800135873611119
    f|exp|numeric|0.001|=numeric:1.0010005001667083
    f|exp|numeric|50.123|=numeric:5863302709479437999408.953
    f|exp|numeric|-100|=numeric:0.00000000000000000000000000000000000000000003720075976020836
    f|power|numeric,numeric|2|10|=numeric:1024.0000000000000000
    f|power|numeric,numeric|2|-1|=numeric:0.5000000000000000
    f|power|numeric,numeric|2|0.5|=numeric:1.4142135623730950
    f|power|numeric,numeric|10|20|=numeric:100000000000000000000.0000000000000000
    f|power|numeric,numeric|1.5|3|=numeric:3.3750000000000000
    f|power|numeric,numeric|0|0|=numeric:1.0000000000000000
    f|power|numeric,numeric|0|-1|!2201F zero raised to a negative power is undefined
    f|power|numeric,numeric|-2|3|=numeric:-8.0000000000000000
    f|power|numeric,numeric|-2|0.5|!2201F a negative number raised to a non-integer power yields a complex result
    f|power|numeric,numeric|0.1|5|=numeric:0.0000100000000000
    f|power|numeric,numeric|2|100|=numeric:1267650600228229401496703205376.0000000000000000
    f|power|numeric,numeric|1.0000001|1000000|=numeric:1.1051709125497934
    f|power|numeric,numeric|2|1000|=numeric:10715086071862673209484250490600018105614048117055336074437503883703510511249361224931983788156958581275946729175531468251871452856923140435984577574698574803934567774824230985421074605062371141877954182153046474983581941267398767559165543946077062914571196477686542167660429831652624386837205668069376.0000000000000000
    f|power|numeric,numeric|10|-20|=numeric:0.0000000000000000
    f|power|numeric,numeric|1.1|2.2|=numeric:1.2332863005546625
    f|power|numeric,numeric|9|0.5|=numeric:3.0000000000000000
    f|power|numeric,numeric|100|1.5|=numeric:1000.0000000000000
    f|power|numeric,numeric|0.5|0.5|=numeric:0.7071067811865475
    f|power|numeric,numeric|NaN|0|=numeric:1
    f|power|numeric,numeric|Infinity|-1|=numeric:0
    f|power|numeric,numeric|2|3.0|=numeric:8.0000000000000000
    f|power|numeric,numeric|7.12345678|8.5|=numeric:17695862.948889602
    f|power|numeric,numeric|123.456|-2|=numeric:0.0000656108398161
    f|log|numeric,numeric|2|64|=numeric:6.0000000000000000
    f|log|numeric,numeric|10|1000|=numeric:3.0000000000000000
    f|log|numeric,numeric|2|10|=numeric:3.3219280948873623
    f|log|numeric,numeric|0.5|0.25|=numeric:2.0000000000000000
    f|log|numeric,numeric|3|9.5|=numeric:2.0492141056749179
    f|power|float8,float8|2|3|=double precision:8
    f|power|float8,float8|-8|0.5|!2201F a negative number raised to a non-integer power yields a complex result
    f|power|float8,float8|0|-1|!2201F zero raised to a negative power is undefined
    f|power|float8,float8|1e200|2|!22003 value out of range: overflow
    f|power|float8,float8|NaN|0|=double precision:1
    f|power|float8,float8|1|NaN|=double precision:1
    f|power|float8,float8|2|-1100|!22003 value out of range: underflow
    f|pow|float8,float8|2|3|=double precision:8
    f|mod|int4,int4|7|3|=integer:1
    f|mod|numeric,numeric|7.5|2|=numeric:1.5
    f|mod|int8,int8|7|-3|=bigint:1
    f|div|numeric,numeric|7.5|2|=numeric:3
    f|div|numeric,numeric|-7.5|2|=numeric:-3
    f|gcd|int4,int4|12|18|=integer:6
    f|lcm|int4,int4|4|6|=integer:12
    f|gcd|numeric,numeric|12.5|7.5|=numeric:2.5
    f|factorial|int8|20|=numeric:2432902008176640000
    f|factorial|int8|30|=numeric:265252859812191058636308480000000
    f|width_bucket|float8,float8,float8,int4|5.35|0.024|10.06|5|=integer:3
    f|width_bucket|numeric,numeric,numeric,int4|5.35|0.024|10.06|5|=integer:3
    f|scale|numeric|1.50|=integer:2
    f|min_scale|numeric|1.50|=integer:1
    f|trim_scale|numeric|1.50|=numeric:1.5
    f|pi||=double precision:3.141592653589793
    f|degrees|float8|0.5|=double precision:28.64788975654116
    f|radians|float8|45|=double precision:0.7853981633974483
    f|sin|float8|1|=double precision:0.8414709848078965
    f|cos|float8|1|=double precision:0.5403023058681398
    f|tan|float8|1|=double precision:1.5574077246549023
    f|atan2|float8,float8|1|2|=double precision:0.4636476090008061
    f|sind|float8|30|=double precision:0.5
    f|cosd|float8|60|=double precision:0.5
    f|tand|float8|45|=double precision:1
    f|asin|float8|2|!22003 input is out of range
    f|acos|float8|0.5|=double precision:1.0471975511965979
    f|sinh|float8|1|=double precision:1.1752011936438014
    f|sqrt|float8|-1|!2201F cannot take square root of a negative number
    f|ln|float8|0|!2201E cannot take logarithm of zero
    f|ln|float8|-1|!2201E cannot take logarithm of a negative number
    f|ln|numeric|0|!2201E cannot take logarithm of zero
    f|ln|numeric|-1|!2201E cannot take logarithm of a negative number
    f|sqrt|numeric|-1|!2201F cannot take square root of a negative number
    f|exp|float8|1000|!22003 value out of range: overflow
    f|exp|float8|-1000|!22003 value out of range: underflow
    f|log|float8|100|=double precision:2
    f|log10|float8|100|=double precision:2
    f|abs|int4|-2147483648|!22003 integer out of range
    f|round|int4|5|=double precision:5
    f|sqrt|int4|16|=double precision:4
    f|exp|int4|1|=double precision:2.718281828459045
    f|date_part|unknown,timestamp|microseconds|2021-03-04 05:06:07.891|=double precision:7891000
    f|extract|unknown,timestamp|microseconds|2021-03-04 05:06:07.891|=numeric:7891000
    f|extract|unknown,date|microseconds|2021-03-04|!0A000 unit "microseconds" not supported for type date
    f|extract|unknown,timestamptz|microseconds|2021-03-04 05:06:07.891|=numeric:7891000
    f|extract|unknown,interval|microseconds|1 year 2 mons 3 days 04:05:06.789|=numeric:6789000
    f|extract|unknown,time|microseconds|04:05:06.789|=numeric:6789000
    f|date_trunc|unknown,timestamp|microseconds|2021-03-04 05:06:07.891|=timestamp without time zone:2021-03-04 05:06:07.891
    f|date_trunc|unknown,timestamptz|microseconds|2021-03-04 05:06:07.891|=timestamp with time zone:2021-03-04 05:06:07.891+00
    f|date_trunc|unknown,interval|microseconds|3 years 5 mons 3 days 04:05:06.789|=interval:3 years 5 mons 3 days 04:05:06.789
    f|date_part|unknown,timestamp|milliseconds|2021-03-04 05:06:07.891|=double precision:7891
    f|extract|unknown,timestamp|milliseconds|2021-03-04 05:06:07.891|=numeric:7891.000
    f|extract|unknown,date|milliseconds|2021-03-04|!0A000 unit "milliseconds" not supported for type date
    f|extract|unknown,timestamptz|milliseconds|2021-03-04 05:06:07.891|=numeric:7891.000
    f|extract|unknown,interval|milliseconds|1 year 2 mons 3 days 04:05:06.789|=numeric:6789.000
    f|extract|unknown,time|milliseconds|04:05:06.789|=numeric:6789.000
    f|date_trunc|unknown,timestamp|milliseconds|2021-03-04 05:06:07.891|=timestamp without time zone:2021-03-04 05:06:07.891
    f|date_trunc|unknown,timestamptz|milliseconds|2021-03-04 05:06:07.891|=timestamp with time zone:2021-03-04 05:06:07.891+00
    f|date_trunc|unknown,interval|milliseconds|3 years 5 mons 3 days 04:05:06.789|=interval:3 years 5 mons 3 days 04:05:06.789
    f|date_part|unknown,timestamp|second|2021-03-04 05:06:07.891|=double precision:7.891
    f|extract|unknown,timestamp|second|2021-03-04 05:06:07.891|=numeric:7.891000
    f|extract|unknown,date|second|2021-03-04|!0A000 unit "second" not supported for type date
    f|extract|unknown,timestamptz|second|2021-03-04 05:06:07.891|=numeric:7.891000
    f|extract|unknown,interval|second|1 year 2 mons 3 days 04:05:06.789|=numeric:6.789000
    f|extract|unknown,time|second|04:05:06.789|=numeric:6.789000
    f|date_trunc|unknown,timestamp|second|2021-03-04 05:06:07.891|=timestamp without time zone:2021-03-04 05:06:07
    f|date_trunc|unknown,timestamptz|second|2021-03-04 05:06:07.891|=timestamp with time zone:2021-03-04 05:06:07+00
    f|date_trunc|unknown,interval|second|3 years 5 mons 3 days 04:05:06.789|=interval:3 years 5 mons 3 days 04:05:06
    f|date_part|unknown,timestamp|minute|2021-03-04 05:06:07.891|=double precision:6
    f|extract|unknown,timestamp|minute|2021-03-04 05:06:07.891|=numeric:6
    f|extract|unknown,date|minute|2021-03-04|!0A000 unit "minute" not supported for type date
    f|extract|unknown,timestamptz|minute|2021-03-04 05:06:07.891|=numeric:6
    f|extract|unknown,interval|minute|1 year 2 mons 3 days 04:05:06.789|=numeric:5
    f|extract|unknown,time|minute|04:05:06.789|=numeric:5
    f|date_trunc|unknown,timestamp|minute|2021-03-04 05:06:07.891|=timestamp without time zone:2021-03-04 05:06:00
    f|date_trunc|unknown,timestamptz|minute|2021-03-04 05:06:07.891|=timestamp with time zone:2021-03-04 05:06:00+00
    f|date_trunc|unknown,interval|minute|3 years 5 mons 3 days 04:05:06.789|=interval:3 years 5 mons 3 days 04:05:00
    f|date_part|unknown,timestamp|hour|2021-03-04 05:06:07.891|=double precision:5
    f|extract|unknown,timestamp|hour|2021-03-04 05:06:07.891|=numeric:5
    f|extract|unknown,date|hour|2021-03-04|!0A000 unit "hour" not supported for type date
    f|extract|unknown,timestamptz|hour|2021-03-04 05:06:07.891|=numeric:5
    f|extract|unknown,interval|hour|1 year 2 mons 3 days 04:05:06.789|=numeric:4
    f|extract|unknown,time|hour|04:05:06.789|=numeric:4
    f|date_trunc|unknown,timestamp|hour|2021-03-04 05:06:07.891|=timestamp without time zone:2021-03-04 05:00:00
    f|date_trunc|unknown,timestamptz|hour|2021-03-04 05:06:07.891|=timestamp with time zone:2021-03-04 05:00:00+00
    f|date_trunc|unknown,interval|hour|3 years 5 mons 3 days 04:05:06.789|=interval:3 years 5 mons 3 days 04:00:00
    f|date_part|unknown,timestamp|day|2021-03-04 05:06:07.891|=double precision:4
    f|extract|unknown,timestamp|day|2021-03-04 05:06:07.891|=numeric:4
    f|extract|unknown,date|day|2021-03-04|=numeric:4
    f|extract|unknown,timestamptz|day|2021-03-04 05:06:07.891|=numeric:4
    f|extract|unknown,interval|day|1 year 2 mons 3 days 04:05:06.789|=numeric:3
    f|extract|unknown,time|day|04:05:06.789|!0A000 unit "day" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|day|2021-03-04 05:06:07.891|=timestamp without time zone:2021-03-04 00:00:00
    f|date_trunc|unknown,timestamptz|day|2021-03-04 05:06:07.891|=timestamp with time zone:2021-03-04 00:00:00+00
    f|date_trunc|unknown,interval|day|3 years 5 mons 3 days 04:05:06.789|=interval:3 years 5 mons 3 days
    f|date_part|unknown,timestamp|week|2021-03-04 05:06:07.891|=double precision:9
    f|extract|unknown,timestamp|week|2021-03-04 05:06:07.891|=numeric:9
    f|extract|unknown,date|week|2021-03-04|=numeric:9
    f|extract|unknown,timestamptz|week|2021-03-04 05:06:07.891|=numeric:9
    f|extract|unknown,interval|week|1 year 2 mons 3 days 04:05:06.789|!0A000 unit "week" not supported for type interval
    f|extract|unknown,time|week|04:05:06.789|!0A000 unit "week" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|week|2021-03-04 05:06:07.891|=timestamp without time zone:2021-03-01 00:00:00
    f|date_trunc|unknown,timestamptz|week|2021-03-04 05:06:07.891|=timestamp with time zone:2021-03-01 00:00:00+00
    f|date_trunc|unknown,interval|week|3 years 5 mons 3 days 04:05:06.789|!0A000 unit "week" not supported for type interval
    f|date_part|unknown,timestamp|month|2021-03-04 05:06:07.891|=double precision:3
    f|extract|unknown,timestamp|month|2021-03-04 05:06:07.891|=numeric:3
    f|extract|unknown,date|month|2021-03-04|=numeric:3
    f|extract|unknown,timestamptz|month|2021-03-04 05:06:07.891|=numeric:3
    f|extract|unknown,interval|month|1 year 2 mons 3 days 04:05:06.789|=numeric:2
    f|extract|unknown,time|month|04:05:06.789|!0A000 unit "month" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|month|2021-03-04 05:06:07.891|=timestamp without time zone:2021-03-01 00:00:00
    f|date_trunc|unknown,timestamptz|month|2021-03-04 05:06:07.891|=timestamp with time zone:2021-03-01 00:00:00+00
    f|date_trunc|unknown,interval|month|3 years 5 mons 3 days 04:05:06.789|=interval:3 years 5 mons
    f|date_part|unknown,timestamp|quarter|2021-03-04 05:06:07.891|=double precision:1
    f|extract|unknown,timestamp|quarter|2021-03-04 05:06:07.891|=numeric:1
    f|extract|unknown,date|quarter|2021-03-04|=numeric:1
    f|extract|unknown,timestamptz|quarter|2021-03-04 05:06:07.891|=numeric:1
    f|extract|unknown,interval|quarter|1 year 2 mons 3 days 04:05:06.789|=numeric:1
    f|extract|unknown,time|quarter|04:05:06.789|!0A000 unit "quarter" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|quarter|2021-03-04 05:06:07.891|=timestamp without time zone:2021-01-01 00:00:00
    f|date_trunc|unknown,timestamptz|quarter|2021-03-04 05:06:07.891|=timestamp with time zone:2021-01-01 00:00:00+00
    f|date_trunc|unknown,interval|quarter|3 years 5 mons 3 days 04:05:06.789|=interval:3 years 3 mons
    f|date_part|unknown,timestamp|year|2021-03-04 05:06:07.891|=double precision:2021
    f|extract|unknown,timestamp|year|2021-03-04 05:06:07.891|=numeric:2021
    f|extract|unknown,date|year|2021-03-04|=numeric:2021
    f|extract|unknown,timestamptz|year|2021-03-04 05:06:07.891|=numeric:2021
    f|extract|unknown,interval|year|1 year 2 mons 3 days 04:05:06.789|=numeric:1
    f|extract|unknown,time|year|04:05:06.789|!0A000 unit "year" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|year|2021-03-04 05:06:07.891|=timestamp without time zone:2021-01-01 00:00:00
    f|date_trunc|unknown,timestamptz|year|2021-03-04 05:06:07.891|=timestamp with time zone:2021-01-01 00:00:00+00
    f|date_trunc|unknown,interval|year|3 years 5 mons 3 days 04:05:06.789|=interval:3 years
    f|date_part|unknown,timestamp|decade|2021-03-04 05:06:07.891|=double precision:202
    f|extract|unknown,timestamp|decade|2021-03-04 05:06:07.891|=numeric:202
    f|extract|unknown,date|decade|2021-03-04|=numeric:202
    f|extract|unknown,timestamptz|decade|2021-03-04 05:06:07.891|=numeric:202
    f|extract|unknown,interval|decade|1 year 2 mons 3 days 04:05:06.789|=numeric:0
    f|extract|unknown,time|decade|04:05:06.789|!0A000 unit "decade" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|decade|2021-03-04 05:06:07.891|=timestamp without time zone:2020-01-01 00:00:00
    f|date_trunc|unknown,timestamptz|decade|2021-03-04 05:06:07.891|=timestamp with time zone:2020-01-01 00:00:00+00
    f|date_trunc|unknown,interval|decade|3 years 5 mons 3 days 04:05:06.789|=interval:00:00:00
    f|date_part|unknown,timestamp|century|2021-03-04 05:06:07.891|=double precision:21
    f|extract|unknown,timestamp|century|2021-03-04 05:06:07.891|=numeric:21
    f|extract|unknown,date|century|2021-03-04|=numeric:21
    f|extract|unknown,timestamptz|century|2021-03-04 05:06:07.891|=numeric:21
    f|extract|unknown,interval|century|1 year 2 mons 3 days 04:05:06.789|=numeric:0
    f|extract|unknown,time|century|04:05:06.789|!0A000 unit "century" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|century|2021-03-04 05:06:07.891|=timestamp without time zone:2001-01-01 00:00:00
    f|date_trunc|unknown,timestamptz|century|2021-03-04 05:06:07.891|=timestamp with time zone:2001-01-01 00:00:00+00
    f|date_trunc|unknown,interval|century|3 years 5 mons 3 days 04:05:06.789|=interval:00:00:00
    f|date_part|unknown,timestamp|millennium|2021-03-04 05:06:07.891|=double precision:3
    f|extract|unknown,timestamp|millennium|2021-03-04 05:06:07.891|=numeric:3
    f|extract|unknown,date|millennium|2021-03-04|=numeric:3
    f|extract|unknown,timestamptz|millennium|2021-03-04 05:06:07.891|=numeric:3
    f|extract|unknown,interval|millennium|1 year 2 mons 3 days 04:05:06.789|=numeric:0
    f|extract|unknown,time|millennium|04:05:06.789|!0A000 unit "millennium" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|millennium|2021-03-04 05:06:07.891|=timestamp without time zone:2001-01-01 00:00:00
    f|date_trunc|unknown,timestamptz|millennium|2021-03-04 05:06:07.891|=timestamp with time zone:2001-01-01 00:00:00+00
    f|date_trunc|unknown,interval|millennium|3 years 5 mons 3 days 04:05:06.789|=interval:00:00:00
    f|date_part|unknown,timestamp|dow|2021-03-04 05:06:07.891|=double precision:4
    f|extract|unknown,timestamp|dow|2021-03-04 05:06:07.891|=numeric:4
    f|extract|unknown,date|dow|2021-03-04|=numeric:4
    f|extract|unknown,timestamptz|dow|2021-03-04 05:06:07.891|=numeric:4
    f|extract|unknown,interval|dow|1 year 2 mons 3 days 04:05:06.789|!0A000 unit "dow" not supported for type interval
    f|extract|unknown,time|dow|04:05:06.789|!0A000 unit "dow" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|dow|2021-03-04 05:06:07.891|!22023 unit "dow" not recognized for type timestamp without time zone
    f|date_trunc|unknown,timestamptz|dow|2021-03-04 05:06:07.891|!22023 unit "dow" not recognized for type timestamp with time zone
    f|date_trunc|unknown,interval|dow|3 years 5 mons 3 days 04:05:06.789|!22023 unit "dow" not recognized for type interval
    f|date_part|unknown,timestamp|isodow|2021-03-04 05:06:07.891|=double precision:4
    f|extract|unknown,timestamp|isodow|2021-03-04 05:06:07.891|=numeric:4
    f|extract|unknown,date|isodow|2021-03-04|=numeric:4
    f|extract|unknown,timestamptz|isodow|2021-03-04 05:06:07.891|=numeric:4
    f|extract|unknown,interval|isodow|1 year 2 mons 3 days 04:05:06.789|!0A000 unit "isodow" not supported for type interval
    f|extract|unknown,time|isodow|04:05:06.789|!0A000 unit "isodow" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|isodow|2021-03-04 05:06:07.891|!22023 unit "isodow" not recognized for type timestamp without time zone
    f|date_trunc|unknown,timestamptz|isodow|2021-03-04 05:06:07.891|!22023 unit "isodow" not recognized for type timestamp with time zone
    f|date_trunc|unknown,interval|isodow|3 years 5 mons 3 days 04:05:06.789|!22023 unit "isodow" not recognized for type interval
    f|date_part|unknown,timestamp|doy|2021-03-04 05:06:07.891|=double precision:63
    f|extract|unknown,timestamp|doy|2021-03-04 05:06:07.891|=numeric:63
    f|extract|unknown,date|doy|2021-03-04|=numeric:63
    f|extract|unknown,timestamptz|doy|2021-03-04 05:06:07.891|=numeric:63
    f|extract|unknown,interval|doy|1 year 2 mons 3 days 04:05:06.789|!0A000 unit "doy" not supported for type interval
    f|extract|unknown,time|doy|04:05:06.789|!0A000 unit "doy" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|doy|2021-03-04 05:06:07.891|!22023 unit "doy" not recognized for type timestamp without time zone
    f|date_trunc|unknown,timestamptz|doy|2021-03-04 05:06:07.891|!22023 unit "doy" not recognized for type timestamp with time zone
    f|date_trunc|unknown,interval|doy|3 years 5 mons 3 days 04:05:06.789|!22023 unit "doy" not recognized for type interval
    f|date_part|unknown,timestamp|isoyear|2021-03-04 05:06:07.891|=double precision:2021
    f|extract|unknown,timestamp|isoyear|2021-03-04 05:06:07.891|=numeric:2021
    f|extract|unknown,date|isoyear|2021-03-04|=numeric:2021
    f|extract|unknown,timestamptz|isoyear|2021-03-04 05:06:07.891|=numeric:2021
    f|extract|unknown,interval|isoyear|1 year 2 mons 3 days 04:05:06.789|!0A000 unit "isoyear" not supported for type interval
    f|extract|unknown,time|isoyear|04:05:06.789|!0A000 unit "isoyear" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|isoyear|2021-03-04 05:06:07.891|!22023 unit "isoyear" not recognized for type timestamp without time zone
    f|date_trunc|unknown,timestamptz|isoyear|2021-03-04 05:06:07.891|!22023 unit "isoyear" not recognized for type timestamp with time zone
    f|date_trunc|unknown,interval|isoyear|3 years 5 mons 3 days 04:05:06.789|!22023 unit "isoyear" not recognized for type interval
    f|date_part|unknown,timestamp|epoch|2021-03-04 05:06:07.891|=double precision:1614834367.891
    f|extract|unknown,timestamp|epoch|2021-03-04 05:06:07.891|=numeric:1614834367.891000
    f|extract|unknown,date|epoch|2021-03-04|=numeric:1614816000
    f|extract|unknown,timestamptz|epoch|2021-03-04 05:06:07.891|=numeric:1614834367.891000
    f|extract|unknown,interval|epoch|1 year 2 mons 3 days 04:05:06.789|=numeric:37015506.789000
    f|extract|unknown,time|epoch|04:05:06.789|=numeric:14706.789000
    f|date_trunc|unknown,timestamp|epoch|2021-03-04 05:06:07.891|!22023 unit "epoch" not recognized for type timestamp without time zone
    f|date_trunc|unknown,timestamptz|epoch|2021-03-04 05:06:07.891|!22023 unit "epoch" not recognized for type timestamp with time zone
    f|date_trunc|unknown,interval|epoch|3 years 5 mons 3 days 04:05:06.789|!22023 unit "epoch" not recognized for type interval
    f|date_part|unknown,timestamp|julian|2021-03-04 05:06:07.891|=double precision:2459278.212591331
    f|extract|unknown,timestamp|julian|2021-03-04 05:06:07.891|=numeric:2459278.21259133101851851852
    f|extract|unknown,date|julian|2021-03-04|=numeric:2459278
    f|extract|unknown,timestamptz|julian|2021-03-04 05:06:07.891|=numeric:2459278.21259133101851851852
    f|extract|unknown,interval|julian|1 year 2 mons 3 days 04:05:06.789|!0A000 unit "julian" not supported for type interval
    f|extract|unknown,time|julian|04:05:06.789|!0A000 unit "julian" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|julian|2021-03-04 05:06:07.891|!22023 unit "julian" not recognized for type timestamp without time zone
    f|date_trunc|unknown,timestamptz|julian|2021-03-04 05:06:07.891|!22023 unit "julian" not recognized for type timestamp with time zone
    f|date_trunc|unknown,interval|julian|3 years 5 mons 3 days 04:05:06.789|!22023 unit "julian" not recognized for type interval
    f|date_part|unknown,timestamp|timezone|2021-03-04 05:06:07.891|!0A000 unit "timezone" not supported for type timestamp without time zone
    f|extract|unknown,timestamp|timezone|2021-03-04 05:06:07.891|!0A000 unit "timezone" not supported for type timestamp without time zone
    f|extract|unknown,date|timezone|2021-03-04|!0A000 unit "timezone" not supported for type date
    f|extract|unknown,timestamptz|timezone|2021-03-04 05:06:07.891|=numeric:0
    f|extract|unknown,interval|timezone|1 year 2 mons 3 days 04:05:06.789|!0A000 unit "timezone" not supported for type interval
    f|extract|unknown,time|timezone|04:05:06.789|!0A000 unit "timezone" not supported for type time without time zone
    f|date_trunc|unknown,timestamp|timezone|2021-03-04 05:06:07.891|!0A000 unit "timezone" not supported for type timestamp without time zone
    f|date_trunc|unknown,timestamptz|timezone|2021-03-04 05:06:07.891|!0A000 unit "timezone" not supported for type timestamp with time zone
    f|date_trunc|unknown,interval|timezone|3 years 5 mons 3 days 04:05:06.789|!0A000 unit "timezone" not supported for type interval
    f|date_part|unknown,timestamp|foo|2021-03-04 05:06:07.891|!22023 unit "foo" not recognized for type timestamp without time zone
    f|extract|unknown,timestamp|foo|2021-03-04 05:06:07.891|!22023 unit "foo" not recognized for type timestamp without time zone
    f|extract|unknown,date|foo|2021-03-04|!22023 unit "foo" not recognized for type date
    f|extract|unknown,timestamptz|foo|2021-03-04 05:06:07.891|!22023 unit "foo" not recognized for type timestamp with time zone
    f|extract|unknown,interval|foo|1 year 2 mons 3 days 04:05:06.789|!22023 unit "foo" not recognized for type interval
    f|extract|unknown,time|foo|04:05:06.789|!22023 unit "foo" not recognized for type time without time zone
    f|date_trunc|unknown,timestamp|foo|2021-03-04 05:06:07.891|!22023 unit "foo" not recognized for type timestamp without time zone
    f|date_trunc|unknown,timestamptz|foo|2021-03-04 05:06:07.891|!22023 unit "foo" not recognized for type timestamp with time zone
    f|date_trunc|unknown,interval|foo|3 years 5 mons 3 days 04:05:06.789|!22023 unit "foo" not recognized for type interval
    f|extract|unknown,timestamp|year|0044-03-15 BC|=numeric:-44
    f|extract|unknown,timestamp|century|0044-03-15 BC|=numeric:-1
    f|extract|unknown,timestamp|millennium|0044-03-15 BC|=numeric:-1
    f|extract|unknown,timestamp|decade|0044-03-15 BC|=numeric:-5
    f|extract|unknown,timestamp|week|0044-03-15 BC|=numeric:11
    f|extract|unknown,timestamp|isoyear|0044-03-15 BC|=numeric:-44
    f|extract|unknown,timestamp|doy|0044-03-15 BC|=numeric:74
    f|extract|unknown,timestamp|epoch|0044-03-15 BC|=numeric:-63517824000.000000
    f|extract|unknown,timestamp|day|0044-03-15 BC|=numeric:15
    f|extract|unknown,timestamp|year|0001-01-01|=numeric:1
    f|extract|unknown,timestamp|century|0001-01-01|=numeric:1
    f|extract|unknown,timestamp|millennium|0001-01-01|=numeric:1
    f|extract|unknown,timestamp|decade|0001-01-01|=numeric:0
    f|extract|unknown,timestamp|week|0001-01-01|=numeric:1
    f|extract|unknown,timestamp|isoyear|0001-01-01|=numeric:1
    f|extract|unknown,timestamp|doy|0001-01-01|=numeric:1
    f|extract|unknown,timestamp|epoch|0001-01-01|=numeric:-62135596800.000000
    f|extract|unknown,timestamp|day|0001-01-01|=numeric:1
    f|extract|unknown,timestamp|year|2000-12-31|=numeric:2000
    f|extract|unknown,timestamp|century|2000-12-31|=numeric:20
    f|extract|unknown,timestamp|millennium|2000-12-31|=numeric:2
    f|extract|unknown,timestamp|decade|2000-12-31|=numeric:200
    f|extract|unknown,timestamp|week|2000-12-31|=numeric:52
    f|extract|unknown,timestamp|isoyear|2000-12-31|=numeric:2000
    f|extract|unknown,timestamp|doy|2000-12-31|=numeric:366
    f|extract|unknown,timestamp|epoch|2000-12-31|=numeric:978220800.000000
    f|extract|unknown,timestamp|day|2000-12-31|=numeric:31
    f|extract|unknown,timestamp|year|2001-01-01|=numeric:2001
    f|extract|unknown,timestamp|century|2001-01-01|=numeric:21
    f|extract|unknown,timestamp|millennium|2001-01-01|=numeric:3
    f|extract|unknown,timestamp|decade|2001-01-01|=numeric:200
    f|extract|unknown,timestamp|week|2001-01-01|=numeric:1
    f|extract|unknown,timestamp|isoyear|2001-01-01|=numeric:2001
    f|extract|unknown,timestamp|doy|2001-01-01|=numeric:1
    f|extract|unknown,timestamp|epoch|2001-01-01|=numeric:978307200.000000
    f|extract|unknown,timestamp|day|2001-01-01|=numeric:1
    f|extract|unknown,timestamp|year|1999-01-03|=numeric:1999
    f|extract|unknown,timestamp|century|1999-01-03|=numeric:20
    f|extract|unknown,timestamp|millennium|1999-01-03|=numeric:2
    f|extract|unknown,timestamp|decade|1999-01-03|=numeric:199
    f|extract|unknown,timestamp|week|1999-01-03|=numeric:53
    f|extract|unknown,timestamp|isoyear|1999-01-03|=numeric:1998
    f|extract|unknown,timestamp|doy|1999-01-03|=numeric:3
    f|extract|unknown,timestamp|epoch|1999-01-03|=numeric:915321600.000000
    f|extract|unknown,timestamp|day|1999-01-03|=numeric:3
    f|extract|unknown,timestamp|year|infinity|=numeric:Infinity
    f|extract|unknown,timestamp|century|infinity|=numeric:Infinity
    f|extract|unknown,timestamp|millennium|infinity|=numeric:Infinity
    f|extract|unknown,timestamp|decade|infinity|=numeric:Infinity
    f|extract|unknown,timestamp|week|infinity|NULL
    f|extract|unknown,timestamp|isoyear|infinity|=numeric:Infinity
    f|extract|unknown,timestamp|doy|infinity|NULL
    f|extract|unknown,timestamp|epoch|infinity|=numeric:Infinity
    f|extract|unknown,timestamp|day|infinity|NULL
    f|extract|unknown,timestamp|year|-infinity|=numeric:-Infinity
    f|extract|unknown,timestamp|century|-infinity|=numeric:-Infinity
    f|extract|unknown,timestamp|millennium|-infinity|=numeric:-Infinity
    f|extract|unknown,timestamp|decade|-infinity|=numeric:-Infinity
    f|extract|unknown,timestamp|week|-infinity|NULL
    f|extract|unknown,timestamp|isoyear|-infinity|=numeric:-Infinity
    f|extract|unknown,timestamp|doy|-infinity|NULL
    f|extract|unknown,timestamp|epoch|-infinity|=numeric:-Infinity
    f|extract|unknown,timestamp|day|-infinity|NULL
    f|date_part|unknown,date|epoch|2021-03-04|=double precision:1614816000
    f|date_part|unknown,date|hour|2021-03-04|=double precision:0
    f|date_trunc|unknown,date|month|2021-03-04|=timestamp with time zone:2021-03-01 00:00:00+00
    f|date_trunc|unknown,timestamptz,unknown|day|2021-03-04 12:00|America/New_York|=timestamp with time zone:2021-03-04 05:00:00+00
    f|age|timestamp,timestamp|2021-03-04|2020-01-31|=interval:1 year 1 mon 4 days
    f|age|timestamp,timestamp|2020-01-31|2021-03-04|=interval:-1 years -1 mons -4 days
    f|age|timestamp,timestamp|2020-02-29 10:00|2019-01-31 12:00|=interval:1 year 28 days 22:00:00
    f|age|timestamptz,timestamptz|2021-03-04|2020-01-31 05:00|=interval:1 year 1 mon 3 days 19:00:00
    f|justify_hours|interval|50 hours|=interval:2 days 02:00:00
    f|justify_days|interval|65 days|=interval:2 mons 5 days
    f|justify_interval|interval|1 mon -1 hour|=interval:29 days 23:00:00
    f|justify_interval|interval|-40 days 30 hours|=interval:-1 mons -8 days -18:00:00
    f|make_date|int4,int4,int4|2020|2|29|=date:2020-02-29
    f|make_date|int4,int4,int4|2021|2|29|!22008 date field value out of range: 2021-02-29
    f|make_date|int4,int4,int4|-44|3|15|=date:0044-03-15 BC
    f|make_date|int4,int4,int4|0|1|1|!22008 date field value out of range: 0-01-01
    f|make_time|int4,int4,float8|8|15|23.5|=time without time zone:08:15:23.5
    f|make_time|int4,int4,float8|25|0|0|!22008 time field value out of range: 25:00:00
    f|make_timestamp|int4,int4,int4,int4,int4,float8|2013|7|15|8|15|23.5|=timestamp without time zone:2013-07-15 08:15:23.5
    f|make_timestamptz|int4,int4,int4,int4,int4,float8|2013|7|15|8|15|23.5|=timestamp with time zone:2013-07-15 08:15:23.5+00
    f|make_timestamptz|int4,int4,int4,int4,int4,float8,unknown|2013|7|15|8|15|23.5|Asia/Tokyo|=timestamp with time zone:2013-07-14 23:15:23.5+00
    f|make_interval|int4,int4,int4,int4,int4,int4,float8|1|2|3|4|5|6|7.8|=interval:1 year 2 mons 25 days 05:06:07.8
    f|make_interval|int4|1|=interval:1 year
    f|to_timestamp|float8|1284352323.5|=timestamp with time zone:2010-09-13 04:32:03.5+00
    f|to_timestamp|float8|Infinity|=timestamp with time zone:infinity
    f|isfinite|date|infinity|=boolean:f
    f|isfinite|timestamp|2020-01-01|=boolean:t
    f|isfinite|interval|1 day|=boolean:t
    f|date_bin|interval,timestamp,timestamp|15 minutes|2020-02-11 15:44:17|2001-01-01|=timestamp without time zone:2020-02-11 15:30:00
    f|date|timestamp|2020-01-01 10:00|=date:2020-01-01
    f|date|unknown|2020-01-01|=date:2020-01-01
    f|timezone|unknown,timestamp|America/New_York|2020-07-01 12:00|=timestamp with time zone:2020-07-01 16:00:00+00
    f|timezone|unknown,timestamptz|America/New_York|2020-07-01 12:00|=timestamp without time zone:2020-07-01 08:00:00
    f|timezone|unknown,timestamp|EST|2020-07-01 12:00|=timestamp with time zone:2020-07-01 17:00:00+00
    f|timezone|unknown,timestamp|Foo|2020-07-01 12:00|!22023 time zone "Foo" not recognized
    f|timezone|interval,timestamp|-05:00|2020-07-01 12:00|=timestamp with time zone:2020-07-01 17:00:00+00
    f|float8|unknown|1.5|=double precision:1.5
    f|text|int4|5|=text:5
    f|int4|unknown|5|=integer:5
    f|int4|float8|5.5|=integer:6
    f|bool|unknown|t|=boolean:t
    f|varchar|text|a|=character varying:a
    f|numeric|unknown|1.5|=numeric:1.5
    f|timestamp|unknown|2020-01-01|=timestamp without time zone:2020-01-01 00:00:00
    f|name|text|abc|=name:abc
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|YYYY-MM-DD HH24:MI:SS|=text:2021-03-04 15:06:07
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|YYYY-MM-DD HH24:MI:SS|=text:2021-03-04 05:06:07
    f|to_char|date,unknown|2021-03-04|YYYY-MM-DD HH24:MI:SS|=text:2021-03-04 00:00:00
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|Day, DD Mon YYYY HH12:MI:SS AM|=text:Thursday , 04 Mar 2021 03:06:07 PM
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|Day, DD Mon YYYY HH12:MI:SS AM|=text:Thursday , 04 Mar 2021 05:06:07 AM
    f|to_char|date,unknown|2021-03-04|Day, DD Mon YYYY HH12:MI:SS AM|=text:Thursday , 04 Mar 2021 12:00:00 AM
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|FMDay, FMDD FMMonth|=text:Thursday, 4 March
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|FMDay, FMDD FMMonth|=text:Thursday, 4 March
    f|to_char|date,unknown|2021-03-04|FMDay, FMDD FMMonth|=text:Thursday, 4 March
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|DDD D ID WW IW W Q CC J|=text:063 5 4 09 09 1 1 21 2459278
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|DDD D ID WW IW W Q CC J|=text:063 5 4 09 09 1 1 21 2459278
    f|to_char|date,unknown|2021-03-04|DDD D ID WW IW W Q CC J|=text:063 5 4 09 09 1 1 21 2459278
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|MS US SSSS|=text:891 891234 54367
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|MS US SSSS|=text:891 891000 18367
    f|to_char|date,unknown|2021-03-04|MS US SSSS|=text:000 000000 0
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|Y,YYY YYY YY Y IYYY|=text:2,021 021 21 1 2021
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|Y,YYY YYY YY Y IYYY|=text:2,021 021 21 1 2021
    f|to_char|date,unknown|2021-03-04|Y,YYY YYY YY Y IYYY|=text:2,021 021 21 1 2021
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|"text" DDth FMDDth|=text:text 04th 4th
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|"text" DDth FMDDth|=text:text 04th 4th
    f|to_char|date,unknown|2021-03-04|"text" DDth FMDDth|=text:text 04th 4th
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|RM rm|=text:III  iii 
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|RM rm|=text:III  iii 
    f|to_char|date,unknown|2021-03-04|RM rm|=text:III  iii 
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|MONTH month Mon MON mon DY Dy dy|=text:MARCH     march     Mar MAR mar THU Thu thu
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|MONTH month Mon MON mon DY Dy dy|=text:MARCH     march     Mar MAR mar THU Thu thu
    f|to_char|date,unknown|2021-03-04|MONTH month Mon MON mon DY Dy dy|=text:MARCH     march     Mar MAR mar THU Thu thu
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|HH am p.m. A.D. BC|=text:03 pm p.m. A.D. AD
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|HH am p.m. A.D. BC|=text:05 am a.m. A.D. AD
    f|to_char|date,unknown|2021-03-04|HH am p.m. A.D. BC|=text:12 am a.m. A.D. AD
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|TZ TZH OF|=text: +00 +00
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|TZ TZH OF|=text:UTC +00 +00
    f|to_char|date,unknown|2021-03-04|TZ TZH OF|=text:UTC +00 +00
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|yyyy-mm-dd hh24:mi:ss.us|=text:2021-03-04 15:06:07.891234
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|yyyy-mm-dd hh24:mi:ss.us|=text:2021-03-04 05:06:07.891000
    f|to_char|date,unknown|2021-03-04|yyyy-mm-dd hh24:mi:ss.us|=text:2021-03-04 00:00:00.000000
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234|FF1 FF3 FF6|=text:8 891 891234
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891|FF1 FF3 FF6|=text:8 891 891000
    f|to_char|date,unknown|2021-03-04|FF1 FF3 FF6|=text:0 000 000000
    f|to_char|timestamp,unknown|2021-03-04 15:06:07.891234||NULL
    f|to_char|timestamptz,unknown|2021-03-04 05:06:07.891||NULL
    f|to_char|date,unknown|2021-03-04||NULL
    f|to_char|interval,unknown|1 year 2 mons 3 days 104:05:06.789|HH24:MI:SS|=text:104:05:06
    f|to_char|interval,unknown|1 year 2 mons 3 days 104:05:06.789|DD HH12:MI|=text:03 08:05
    f|to_char|interval,unknown|1 year 2 mons 3 days 104:05:06.789|YYYY-MM|=text:0001-02
    f|to_char|interval,unknown|1 year 2 mons 3 days 104:05:06.789|Day|!22007 invalid format specification for an interval value
    f|to_char|numeric,unknown|0|999|=text:   0
    f|to_char|numeric,unknown|5|999|=text:   5
    f|to_char|numeric,unknown|-5|999|=text:  -5
    f|to_char|numeric,unknown|123.456|999|=text: 123
    f|to_char|numeric,unknown|-1234.5|999|=text:-###
    f|to_char|numeric,unknown|0.1|999|=text:   0
    f|to_char|numeric,unknown|12345678|999|=text: ###
    f|to_char|numeric,unknown|-0.05|999|=text:   0
    f|to_char|numeric,unknown|0|9999.99|=text:     .00
    f|to_char|numeric,unknown|5|9999.99|=text:    5.00
    f|to_char|numeric,unknown|-5|9999.99|=text:   -5.00
    f|to_char|numeric,unknown|123.456|9999.99|=text:  123.46
    f|to_char|numeric,unknown|-1234.5|9999.99|=text:-1234.50
    f|to_char|numeric,unknown|0.1|9999.99|=text:     .10
    f|to_char|numeric,unknown|12345678|9999.99|=text: ####.##
    f|to_char|numeric,unknown|-0.05|9999.99|=text:    -.05
    f|to_char|numeric,unknown|0|0000.00|=text: 0000.00
    f|to_char|numeric,unknown|5|0000.00|=text: 0005.00
    f|to_char|numeric,unknown|-5|0000.00|=text:-0005.00
    f|to_char|numeric,unknown|123.456|0000.00|=text: 0123.46
    f|to_char|numeric,unknown|-1234.5|0000.00|=text:-1234.50
    f|to_char|numeric,unknown|0.1|0000.00|=text: 0000.10
    f|to_char|numeric,unknown|12345678|0000.00|=text: ####.##
    f|to_char|numeric,unknown|-0.05|0000.00|=text:-0000.05
    f|to_char|numeric,unknown|0|FM999.99|=text:0.
    f|to_char|numeric,unknown|5|FM999.99|=text:5.
    f|to_char|numeric,unknown|-5|FM999.99|=text:-5.
    f|to_char|numeric,unknown|123.456|FM999.99|=text:123.46
    f|to_char|numeric,unknown|-1234.5|FM999.99|=text:-###.##
    f|to_char|numeric,unknown|0.1|FM999.99|=text:.1
    f|to_char|numeric,unknown|12345678|FM999.99|=text:###.##
    f|to_char|numeric,unknown|-0.05|FM999.99|=text:-.05
    f|to_char|numeric,unknown|0|FM990.0|=text:0.0
    f|to_char|numeric,unknown|5|FM990.0|=text:5.0
    f|to_char|numeric,unknown|-5|FM990.0|=text:-5.0
    f|to_char|numeric,unknown|123.456|FM990.0|=text:123.5
    f|to_char|numeric,unknown|-1234.5|FM990.0|=text:-###.#
    f|to_char|numeric,unknown|0.1|FM990.0|=text:0.1
    f|to_char|numeric,unknown|12345678|FM990.0|=text:###.#
    f|to_char|numeric,unknown|-0.05|FM990.0|=text:-0.1
    f|to_char|numeric,unknown|0|9,999,999|=text:         0
    f|to_char|numeric,unknown|5|9,999,999|=text:         5
    f|to_char|numeric,unknown|-5|9,999,999|=text:        -5
    f|to_char|numeric,unknown|123.456|9,999,999|=text:       123
    f|to_char|numeric,unknown|-1234.5|9,999,999|=text:    -1,235
    f|to_char|numeric,unknown|0.1|9,999,999|=text:         0
    f|to_char|numeric,unknown|12345678|9,999,999|=text: #,###,###
    f|to_char|numeric,unknown|-0.05|9,999,999|=text:         0
    f|to_char|numeric,unknown|0|S999|=text:  +0
    f|to_char|numeric,unknown|5|S999|=text:  +5
    f|to_char|numeric,unknown|-5|S999|=text:  -5
    f|to_char|numeric,unknown|123.456|S999|=text:+123
    f|to_char|numeric,unknown|-1234.5|S999|=text:-###
    f|to_char|numeric,unknown|0.1|S999|=text:  +0
    f|to_char|numeric,unknown|12345678|S999|=text:+###
    f|to_char|numeric,unknown|-0.05|S999|=text:  +0
    f|to_char|numeric,unknown|0|999S|=text:  0+
    f|to_char|numeric,unknown|5|999S|=text:  5+
    f|to_char|numeric,unknown|-5|999S|=text:  5-
    f|to_char|numeric,unknown|123.456|999S|=text:123+
    f|to_char|numeric,unknown|-1234.5|999S|=text:###-
    f|to_char|numeric,unknown|0.1|999S|=text:  0+
    f|to_char|numeric,unknown|12345678|999S|=text:###+
    f|to_char|numeric,unknown|-0.05|999S|=text:  0+
    f|to_char|numeric,unknown|0|MI999|=text:   0
    f|to_char|numeric,unknown|5|MI999|=text:   5
    f|to_char|numeric,unknown|-5|MI999|=text:-  5
    f|to_char|numeric,unknown|123.456|MI999|=text: 123
    f|to_char|numeric,unknown|-1234.5|MI999|=text:-###
    f|to_char|numeric,unknown|0.1|MI999|=text:   0
    f|to_char|numeric,unknown|12345678|MI999|=text: ###
    f|to_char|numeric,unknown|-0.05|MI999|=text:   0
    f|to_char|numeric,unknown|0|999MI|=text:  0 
    f|to_char|numeric,unknown|5|999MI|=text:  5 
    f|to_char|numeric,unknown|-5|999MI|=text:  5-
    f|to_char|numeric,unknown|123.456|999MI|=text:123 
    f|to_char|numeric,unknown|-1234.5|999MI|=text:###-
    f|to_char|numeric,unknown|0.1|999MI|=text:  0 
    f|to_char|numeric,unknown|12345678|999MI|=text:### 
    f|to_char|numeric,unknown|-0.05|999MI|=text:  0 
    f|to_char|numeric,unknown|0|PL999|=text:+   0
    f|to_char|numeric,unknown|5|PL999|=text:+   5
    f|to_char|numeric,unknown|-5|PL999|=text:   -5
    f|to_char|numeric,unknown|123.456|PL999|=text:+ 123
    f|to_char|numeric,unknown|-1234.5|PL999|=text: -###
    f|to_char|numeric,unknown|0.1|PL999|=text:+   0
    f|to_char|numeric,unknown|12345678|PL999|=text:+ ###
    f|to_char|numeric,unknown|-0.05|PL999|=text:+   0
    f|to_char|numeric,unknown|0|SG999|=text:+  0
    f|to_char|numeric,unknown|5|SG999|=text:+  5
    f|to_char|numeric,unknown|-5|SG999|=text:-  5
    f|to_char|numeric,unknown|123.456|SG999|=text:+123
    f|to_char|numeric,unknown|-1234.5|SG999|=text:-###
    f|to_char|numeric,unknown|0.1|SG999|=text:+  0
    f|to_char|numeric,unknown|12345678|SG999|=text:+###
    f|to_char|numeric,unknown|-0.05|SG999|=text:+  0
    f|to_char|numeric,unknown|0|999PR|=text:   0 
    f|to_char|numeric,unknown|5|999PR|=text:   5 
    f|to_char|numeric,unknown|-5|999PR|=text:  <5>
    f|to_char|numeric,unknown|123.456|999PR|=text: 123 
    f|to_char|numeric,unknown|-1234.5|999PR|=text:<###>
    f|to_char|numeric,unknown|0.1|999PR|=text:   0 
    f|to_char|numeric,unknown|12345678|999PR|=text: ### 
    f|to_char|numeric,unknown|-0.05|999PR|=text:   0 
    f|to_char|numeric,unknown|0|FM999PR|=text:0
    f|to_char|numeric,unknown|5|FM999PR|=text:5
    f|to_char|numeric,unknown|-5|FM999PR|=text:<5>
    f|to_char|numeric,unknown|123.456|FM999PR|=text:123
    f|to_char|numeric,unknown|-1234.5|FM999PR|=text:<###>
    f|to_char|numeric,unknown|0.1|FM999PR|=text:0
    f|to_char|numeric,unknown|12345678|FM999PR|=text:###
    f|to_char|numeric,unknown|-0.05|FM999PR|=text:0
    f|to_char|numeric,unknown|0|L999|=text:    0
    f|to_char|numeric,unknown|5|L999|=text:    5
    f|to_char|numeric,unknown|-5|L999|=text:   -5
    f|to_char|numeric,unknown|123.456|L999|=text:  123
    f|to_char|numeric,unknown|-1234.5|L999|=text: -###
    f|to_char|numeric,unknown|0.1|L999|=text:    0
    f|to_char|numeric,unknown|12345678|L999|=text:  ###
    f|to_char|numeric,unknown|-0.05|L999|=text:    0
    f|to_char|numeric,unknown|0|RN|=text:###############
    f|to_char|numeric,unknown|5|RN|=text:              V
    f|to_char|numeric,unknown|-5|RN|=text:###############
    f|to_char|numeric,unknown|123.456|RN|=text:         CXXIII
    f|to_char|numeric,unknown|-1234.5|RN|=text:###############
    f|to_char|numeric,unknown|0.1|RN|=text:###############
    f|to_char|numeric,unknown|12345678|RN|=text:###############
    f|to_char|numeric,unknown|-0.05|RN|=text:###############
    f|to_char|numeric,unknown|0|FMRN|=text:###############
    f|to_char|numeric,unknown|5|FMRN|=text:V
    f|to_char|numeric,unknown|-5|FMRN|=text:###############
    f|to_char|numeric,unknown|123.456|FMRN|=text:CXXIII
    f|to_char|numeric,unknown|-1234.5|FMRN|=text:###############
    f|to_char|numeric,unknown|0.1|FMRN|=text:###############
    f|to_char|numeric,unknown|12345678|FMRN|=text:###############
    f|to_char|numeric,unknown|-0.05|FMRN|=text:###############
    f|to_char|numeric,unknown|0|99V99|=text:    0
    f|to_char|numeric,unknown|5|99V99|=text:  500
    f|to_char|numeric,unknown|-5|99V99|=text: -500
    f|to_char|numeric,unknown|123.456|99V99|=text: ####
    f|to_char|numeric,unknown|-1234.5|99V99|=text:-####
    f|to_char|numeric,unknown|0.1|99V99|=text:   10
    f|to_char|numeric,unknown|12345678|99V99|=text: ####
    f|to_char|numeric,unknown|-0.05|99V99|=text:   -5
    f|to_char|numeric,unknown|0|9.99EEEE|=text: 0.00e+00
    f|to_char|numeric,unknown|5|9.99EEEE|=text: 5.00e+00
    f|to_char|numeric,unknown|-5|9.99EEEE|=text:-5.00e+00
    f|to_char|numeric,unknown|123.456|9.99EEEE|=text: 1.23e+02
    f|to_char|numeric,unknown|-1234.5|9.99EEEE|=text:-1.23e+03
    f|to_char|numeric,unknown|0.1|9.99EEEE|=text: 1.00e-01
    f|to_char|numeric,unknown|12345678|9.99EEEE|=text: 1.23e+07
    f|to_char|numeric,unknown|-0.05|9.99EEEE|=text:-5.00e-02
    f|to_char|numeric,unknown|0|999D99|=text:    .00
    f|to_char|numeric,unknown|5|999D99|=text:   5.00
    f|to_char|numeric,unknown|-5|999D99|=text:  -5.00
    f|to_char|numeric,unknown|123.456|999D99|=text: 123.46
    f|to_char|numeric,unknown|-1234.5|999D99|=text:-###.##
    f|to_char|numeric,unknown|0.1|999D99|=text:    .10
    f|to_char|numeric,unknown|12345678|999D99|=text: ###.##
    f|to_char|numeric,unknown|-0.05|999D99|=text:   -.05
    f|to_char|numeric,unknown|0|9G999|=text:     0
    f|to_char|numeric,unknown|5|9G999|=text:     5
    f|to_char|numeric,unknown|-5|9G999|=text:    -5
    f|to_char|numeric,unknown|123.456|9G999|=text:   123
    f|to_char|numeric,unknown|-1234.5|9G999|=text:-1,235
    f|to_char|numeric,unknown|0.1|9G999|=text:     0
    f|to_char|numeric,unknown|12345678|9G999|=text: #,###
    f|to_char|numeric,unknown|-0.05|9G999|=text:     0
    f|to_char|numeric,unknown|0|FM9999|=text:0
    f|to_char|numeric,unknown|5|FM9999|=text:5
    f|to_char|numeric,unknown|-5|FM9999|=text:-5
    f|to_char|numeric,unknown|123.456|FM9999|=text:123
    f|to_char|numeric,unknown|-1234.5|FM9999|=text:-1235
    f|to_char|numeric,unknown|0.1|FM9999|=text:0
    f|to_char|numeric,unknown|12345678|FM9999|=text:####
    f|to_char|numeric,unknown|-0.05|FM9999|=text:0
    f|to_char|numeric,unknown|0|000|=text: 000
    f|to_char|numeric,unknown|5|000|=text: 005
    f|to_char|numeric,unknown|-5|000|=text:-005
    f|to_char|numeric,unknown|123.456|000|=text: 123
    f|to_char|numeric,unknown|-1234.5|000|=text:-###
    f|to_char|numeric,unknown|0.1|000|=text: 000
    f|to_char|numeric,unknown|12345678|000|=text: ###
    f|to_char|numeric,unknown|-0.05|000|=text: 000
    f|to_char|numeric,unknown|0|FM000|=text:000
    f|to_char|numeric,unknown|5|FM000|=text:005
    f|to_char|numeric,unknown|-5|FM000|=text:-005
    f|to_char|numeric,unknown|123.456|FM000|=text:123
    f|to_char|numeric,unknown|-1234.5|FM000|=text:-###
    f|to_char|numeric,unknown|0.1|FM000|=text:000
    f|to_char|numeric,unknown|12345678|FM000|=text:###
    f|to_char|numeric,unknown|-0.05|FM000|=text:000
    f|to_char|numeric,unknown|0|999.999|=text:    .000
    f|to_char|numeric,unknown|5|999.999|=text:   5.000
    f|to_char|numeric,unknown|-5|999.999|=text:  -5.000
    f|to_char|numeric,unknown|123.456|999.999|=text: 123.456
    f|to_char|numeric,unknown|-1234.5|999.999|=text:-###.###
    f|to_char|numeric,unknown|0.1|999.999|=text:    .100
    f|to_char|numeric,unknown|12345678|999.999|=text: ###.###
    f|to_char|numeric,unknown|-0.05|999.999|=text:   -.050
    f|to_char|numeric,unknown|0|"x"999|=text:x   0
    f|to_char|numeric,unknown|5|"x"999|=text:x   5
    f|to_char|numeric,unknown|-5|"x"999|=text:x  -5
    f|to_char|numeric,unknown|123.456|"x"999|=text:x 123
    f|to_char|numeric,unknown|-1234.5|"x"999|=text:x-###
    f|to_char|numeric,unknown|0.1|"x"999|=text:x   0
    f|to_char|numeric,unknown|12345678|"x"999|=text:x ###
    f|to_char|numeric,unknown|-0.05|"x"999|=text:x   0
    f|to_char|numeric,unknown|0|999th|=text:   0th
    f|to_char|numeric,unknown|5|999th|=text:   5th
    f|to_char|numeric,unknown|-5|999th|=text:  -5
    f|to_char|numeric,unknown|123.456|999th|=text: 123rd
    f|to_char|numeric,unknown|-1234.5|999th|=text:-###
    f|to_char|numeric,unknown|0.1|999th|=text:   0th
    f|to_char|numeric,unknown|12345678|999th|=text: ###
    f|to_char|numeric,unknown|-0.05|999th|=text:   0th
    f|to_char|numeric,unknown|0|FM0.99|=text:0.
    f|to_char|numeric,unknown|5|FM0.99|=text:5.
    f|to_char|numeric,unknown|-5|FM0.99|=text:-5.
    f|to_char|numeric,unknown|123.456|FM0.99|=text:#.##
    f|to_char|numeric,unknown|-1234.5|FM0.99|=text:-#.##
    f|to_char|numeric,unknown|0.1|FM0.99|=text:0.1
    f|to_char|numeric,unknown|12345678|FM0.99|=text:#.##
    f|to_char|numeric,unknown|-0.05|FM0.99|=text:-0.05
    f|to_char|numeric,unknown|0|FM9.99|=text:0.
    f|to_char|numeric,unknown|5|FM9.99|=text:5.
    f|to_char|numeric,unknown|-5|FM9.99|=text:-5.
    f|to_char|numeric,unknown|123.456|FM9.99|=text:#.##
    f|to_char|numeric,unknown|-1234.5|FM9.99|=text:-#.##
    f|to_char|numeric,unknown|0.1|FM9.99|=text:.1
    f|to_char|numeric,unknown|12345678|FM9.99|=text:#.##
    f|to_char|numeric,unknown|-0.05|FM9.99|=text:-.05
    f|to_char|numeric,unknown|0|.99|=text: .##
    f|to_char|numeric,unknown|5|.99|=text: .##
    f|to_char|numeric,unknown|-5|.99|=text:-.##
    f|to_char|numeric,unknown|123.456|.99|=text: .##
    f|to_char|numeric,unknown|-1234.5|.99|=text:-.##
    f|to_char|numeric,unknown|0.1|.99|=text: .##
    f|to_char|numeric,unknown|12345678|.99|=text: .##
    f|to_char|numeric,unknown|-0.05|.99|=text:-.##
    f|to_char|numeric,unknown|0|9.9|=text:  .0
    f|to_char|numeric,unknown|5|9.9|=text: 5.0
    f|to_char|numeric,unknown|-5|9.9|=text:-5.0
    f|to_char|numeric,unknown|123.456|9.9|=text: #.#
    f|to_char|numeric,unknown|-1234.5|9.9|=text:-#.#
    f|to_char|numeric,unknown|0.1|9.9|=text:  .1
    f|to_char|numeric,unknown|12345678|9.9|=text: #.#
    f|to_char|numeric,unknown|-0.05|9.9|=text: -.1
    f|to_char|numeric,unknown|0|S0999.9|=text:+0000.0
    f|to_char|numeric,unknown|5|S0999.9|=text:+0005.0
    f|to_char|numeric,unknown|-5|S0999.9|=text:-0005.0
    f|to_char|numeric,unknown|123.456|S0999.9|=text:+0123.5
    f|to_char|numeric,unknown|-1234.5|S0999.9|=text:-1234.5
    f|to_char|numeric,unknown|0.1|S0999.9|=text:+0000.1
    f|to_char|numeric,unknown|12345678|S0999.9|=text:+####.#
    f|to_char|numeric,unknown|-0.05|S0999.9|=text:-0000.1
    f|to_char|numeric,unknown|0|99|=text:  0
    f|to_char|numeric,unknown|5|99|=text:  5
    f|to_char|numeric,unknown|-5|99|=text: -5
    f|to_char|numeric,unknown|123.456|99|=text: ##
    f|to_char|numeric,unknown|-1234.5|99|=text:-##
    f|to_char|numeric,unknown|0.1|99|=text:  0
    f|to_char|numeric,unknown|12345678|99|=text: ##
    f|to_char|numeric,unknown|-0.05|99|=text:  0
    f|to_char|numeric,unknown|0|FM9,999,999.00|=text:.00
    f|to_char|numeric,unknown|5|FM9,999,999.00|=text:5.00
    f|to_char|numeric,unknown|-5|FM9,999,999.00|=text:-5.00
    f|to_char|numeric,unknown|123.456|FM9,999,999.00|=text:123.46
    f|to_char|numeric,unknown|-1234.5|FM9,999,999.00|=text:-1,234.50
    f|to_char|numeric,unknown|0.1|FM9,999,999.00|=text:.10
    f|to_char|numeric,unknown|12345678|FM9,999,999.00|=text:#,###,###.##
    f|to_char|numeric,unknown|-0.05|FM9,999,999.00|=text:-.05
    f|to_char|int4,unknown|42|999|=text:  42
    f|to_char|int4,unknown|-42|FM9999|=text:-42
    f|to_char|int8,unknown|1234567|9,999,999|=text: 1,234,567
    f|to_char|float8,unknown|3.14159|9.99|=text: 3.14
    f|to_number|unknown,unknown|12,454.8-|99G999D9S|=numeric:-12454.8
    f|to_number|unknown,unknown|1234|9999|=numeric:1234
    f|to_date|unknown,unknown|2020-01-02|YYYY-MM-DD|=date:2020-01-02
    f|to_date|unknown,unknown|20200102|YYYYMMDD|=date:2020-01-02
    f|to_date|unknown,unknown|02 Jan 2020|DD Mon YYYY|=date:2020-01-02
    f|to_date|unknown,unknown|January 2, 2020|Month DD, YYYY|=date:2020-01-02
    f|to_date|unknown,unknown|2020-13-02|YYYY-MM-DD|!22008 date/time field value out of range: "2020-13-02"
    f|to_date|unknown,unknown|99|YY|=date:1999-01-01
    f|to_date|unknown,unknown|2020 060|YYYY DDD|=date:2020-02-29
    f|to_date|unknown,unknown|x|YYYY|!22007 invalid value "x" for "YYYY"
    f|to_date|unknown,unknown|2451545|J|=date:2000-01-01
    f|to_date|unknown,unknown|2/1/20|DD/MM/YY|=date:2020-01-02
    f|to_timestamp|unknown,unknown|2020-01-02 03:04:05|YYYY-MM-DD HH24:MI:SS|=timestamp with time zone:2020-01-02 03:04:05+00
    f|to_timestamp|unknown,unknown|2020-01-02 03:04:05 PM|YYYY-MM-DD HH12:MI:SS PM|=timestamp with time zone:2020-01-02 15:04:05+00
    f|to_timestamp|unknown,unknown|05 Dec 2000|DD Mon YYYY|=timestamp with time zone:2000-12-05 00:00:00+00
    f|to_timestamp|unknown,unknown|2020-01-02 13:04|YYYY-MM-DD HH12:MI|!22007 hour "13" is invalid for the 12-hour clock
    f|to_timestamp|unknown,unknown|2020-01-02 03:04:05.678|YYYY-MM-DD HH24:MI:SS.MS|=timestamp with time zone:2020-01-02 03:04:05.678+00
    f|to_timestamp|unknown,unknown|12:30|HH24:MI|=timestamp with time zone:0001-01-01 12:30:00+00 BC
    f|array_length|int4[],int4|{1,2,3}|1|=integer:3
    f|array_length|int4[],int4|{}|1|NULL
    f|array_upper|int4[],int4|[2:4]={1,2,3}|1|=integer:4
    f|array_lower|int4[],int4|[2:4]={1,2,3}|1|=integer:2
    f|array_dims|int4[]|{{1,2},{3,4}}|=text:[1:2][1:2]
    f|array_ndims|int4[]|{{1,2},{3,4}}|=integer:2
    f|cardinality|int4[]|{{1,2},{3,4}}|=integer:4
    f|array_append|int4[],int4|{1}|2|=integer[]:{1,2}
    f|array_prepend|int4,int4[]|2|{1}|=integer[]:{2,1}
    f|array_cat|int4[],int4[]|{1}|{2}|=integer[]:{1,2}
    f|array_cat|int4[],int4[]|{{1,2}}|{3,4}|=integer[]:{{1,2},{3,4}}
    f|array_cat|int4[],int4[]|{{1,2}}|{3}|!2202E cannot concatenate incompatible arrays
    f|array_position|int4[],int4|{1,2,3}|2|=integer:2
    f|array_position|text[],unknown|{a,b}|b|=integer:2
    f|array_positions|int4[],int4|{1,2,1}|1|=integer[]:{1,3}
    f|array_remove|int4[],int4|{1,2,1}|1|=integer[]:{2}
    f|array_replace|int4[],int4,int4|{1,2,1}|1|9|=integer[]:{9,2,9}
    f|array_fill|int4,int4[]|7|{3}|=integer[]:{7,7,7}
    f|trim_array|int4[],int4|{1,2,3}|1|=integer[]:{1,2}
    f|array_append|int4[],text|{1}|x|!42883 function array_append(integer[], text) does not exist
    f|array_length|int4,int4|1|1|!42883 function array_length(integer, integer) does not exist
    f|num_nulls|int4,text|1|\#u{1}|=integer:1
    f|num_nonnulls|int4,text|1|\#u{1}|=integer:1
    f|pg_typeof|int4|1|=regtype:integer
    f|pg_typeof|int4[]|{1}|=regtype:integer[]
    f|format_type|oid,int4|23|-1|=text:integer
    f|format_type|oid,int4|1043|14|=text:character varying(10)
    f|format_type|oid,int4|1700|327686|=text:numeric(5,2)
    f|format_type|oid,int4|1042|\#u{1}|=text:character
    f|format_type|oid,int4|1042|-1|=text:bpchar
    f|format_type|oid,int4|0|-1|=text:-
    f|format_type|oid,int4|99999|-1|=text:???
    f|format_type|oid,int4|1115|3|=text:timestamp(3) without time zone[]
    f|pg_size_pretty|int8|0|=text:0 bytes
    f|pg_size_pretty|int8|10239|=text:10239 bytes
    f|pg_size_pretty|int8|10240|=text:10 kB
    f|pg_size_pretty|int8|10485760|=text:10 MB
    f|pg_size_pretty|int8|-10240|=text:-10 kB
    f|pg_size_pretty|int8|1048576|=text:1024 kB
    f|pg_size_pretty|int8|1073741824|=text:1024 MB
    f|pg_size_pretty|int8|1099511627776|=text:1024 GB
    f|pg_size_pretty|int8|1536000|=text:1500 kB
    f|pg_size_bytes|text|10 MB|=bigint:10485760
    f|pg_size_bytes|text|1.5kB|=bigint:1536
    f|pg_size_bytes|text|x|!22023 invalid size: "x"
    f|nofunc|int4|1|!42883 function nofunc(integer) does not exist
    f|abs|text|x|!42883 function abs(text) does not exist
    f|length||!42883 function length() does not exist
    f|length|int4|5|!42883 function length(integer) does not exist
    f|substr|text,text|a|b|!42883 function substr(text, text) does not exist
    f|round|text|1|!42883 function round(text) does not exist
    f|sum|text|1|!42883 function sum(text) does not exist
    f|lower|int4|1|!42883 function lower(integer) does not exist
    f|coalesce2|unknown|a|!42883 function coalesce2(unknown) does not exist
    f|now|int4|1|!42883 function now(integer) does not exist
    f|date_trunc|unknown,unknown|day|2020-01-01|!42725 function date_trunc(unknown, unknown) is not unique
    f|abs|unknown|-5|=double precision:5
    f|round|unknown|2.5|=double precision:2
    f|sqrt|unknown|4|=double precision:2
    f|generate_series|unknown,unknown|1|2|!42725 function generate_series(unknown, unknown) is not unique
    f|to_char|unknown,unknown|1|9|!42725 function to_char(unknown, unknown) is not unique
    f|mod|unknown,unknown|5|3|!42725 function mod(unknown, unknown) is not unique
    f|power|unknown,unknown|2|3|=double precision:8
    f|extract|unknown,unknown|year|2020-01-01|!42725 function extract(unknown, unknown) is not unique
    f|age|unknown|2020-01-01|!42725 function age(unknown) is not unique
    f|array_length|unknown,int4|{1}|1|!42804 could not determine polymorphic type because input has type unknown
    f|left|unknown,unknown|abc|2|=text:ab
    f|repeat|unknown,unknown|a|2|=text:aa
    f|concat|unknown,unknown|a|b|=text:ab
    f|upper|text|\#u{1}|NULL
    f|substring|unknown,unknown|abc|b|=text:b
    c|text|int4|5|=5
    c|int2|int4|70000|!22003 smallint out of range
    c|int4|int8|5000000000|!22003 integer out of range
    c|int4|float8|2.5|=2
    c|int4|float8|3.5|=4
    c|int4|float8|1e10|!22003 integer out of range
    c|int4|float8|NaN|!22003 integer out of range
    c|int8|float8|1e19|!22003 bigint out of range
    c|int4|numeric|2.5|=3
    c|int4|numeric|NaN|!0A000 cannot convert NaN to integer
    c|int8|numeric|9223372036854775808|!22003 bigint out of range
    c|float8|numeric|1.5|=1.5
    c|numeric|float8|0.1|=0.1
    c|numeric|float8|1e20|=100000000000000000000
    c|numeric|float8|123456789.123456789|=123456789.123457
    c|numeric|float4|0.1|=0.1
    c|float8|float4|0.1|=0.10000000149011612
    c|float4|float8|1e40|!22003 value out of range: overflow
    c|int4|bool|t|=1
    c|bool|int4|5|=t
    c|text|bool|t|=true
    c|int4|text|12|=12
    c|int4|text|x|!22P02 invalid input syntax for type integer: "x"
    c|timestamp|date|2020-01-01|=2020-01-01 00:00:00
    c|date|timestamp|2020-01-01 10:00|=2020-01-01
    c|time|timestamp|2020-01-01 10:00|=10:00:00
    c|date|timestamptz|2020-01-01 10:00|=2020-01-01
    c|time|interval|25:00|=01:00:00
    c|interval|time|10:00|=10:00:00
    c|oid|int4|5|=5
    c|int8|oid|5|=5
    c|oid|int8|5000000000|!22003 OID out of range
    c|"char"|int4|65|=A
    c|int4|"char"|A|=65
    c|"char"|text|abc|=a
    c|name|text|abc|=abc
    c|text|name|abc|=abc
    c|text|bpchar|a  |=a
    c|bpchar|text|a|=a
    c|int4|date|2020-01-01|!42846 cannot cast type date to integer
    c|date|int4|5|!42846 cannot cast type integer to date
    c|date|text|2020-01-01|=2020-01-01
    c|text|date|2020-01-01|=2020-01-01
    c|float8|bool|t|!42846 cannot cast type boolean to double precision
    c|text|numeric|1.50|=1.50
    c|text|uuid|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
    c|uuid|text|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
    c|text|bytea|\\x01|=\\x01
    c|bytea|text|\\x01|=\\x01
    c|numeric|int4|5|=5
    c|float8|int4|5|=5
    c|text|float8|1e20|=1e+20
    c|text|interval|1 day|=1 day
    c|int8|int2|5|=5
    c|bool|numeric|1|!42846 cannot cast type numeric to boolean
    c|text|json|{}|={}
    c|json|text|{"a":1}|={"a":1}
    c|text|varchar|x|=x
    c|varchar|int4|5|=5
    c|text|timestamp|2020-01-01|=2020-01-01 00:00:00
    c|varchar|bool|t|=true
    c|text|regtype|integer|=integer
    c|regtype|text|int4|=integer
    c|regtype|oid|23|=integer
    c|oid|regtype|integer|=23
    c|regtype|int4|23|=integer
    a|count|int4|1|2|3|\#u{1}|=bigint:3
    a|sum|int4|1|2|3|\#u{1}|=bigint:6
    a|avg|int4|1|2|3|\#u{1}|=numeric:2.0000000000000000
    a|min|int4|1|2|3|\#u{1}|=integer:1
    a|max|int4|1|2|3|\#u{1}|=integer:3
    a|stddev|int4|1|2|3|\#u{1}|=numeric:1.00000000000000000000
    a|variance|int4|1|2|3|\#u{1}|=numeric:1.00000000000000000000
    a|stddev_pop|int4|1|2|3|\#u{1}|=numeric:0.81649658092772603273
    a|var_pop|int4|1|2|3|\#u{1}|=numeric:0.66666666666666666667
    a|stddev_samp|int4|1|2|3|\#u{1}|=numeric:1.00000000000000000000
    a|var_samp|int4|1|2|3|\#u{1}|=numeric:1.00000000000000000000
    a|sum|int4|1|=bigint:1
    a|avg|int4|1|=numeric:1.00000000000000000000
    a|variance|int4|1|NULL
    a|var_pop|int4|1|=numeric:0
    a|count|int8|1|2|4|=bigint:3
    a|sum|int8|1|2|4|=numeric:7
    a|avg|int8|1|2|4|=numeric:2.3333333333333333
    a|min|int8|1|2|4|=bigint:1
    a|max|int8|1|2|4|=bigint:4
    a|stddev|int8|1|2|4|=numeric:1.5275252316519467
    a|variance|int8|1|2|4|=numeric:2.3333333333333333
    a|stddev_pop|int8|1|2|4|=numeric:1.2472191289246471
    a|var_pop|int8|1|2|4|=numeric:1.5555555555555556
    a|stddev_samp|int8|1|2|4|=numeric:1.5275252316519467
    a|var_samp|int8|1|2|4|=numeric:2.3333333333333333
    a|sum|int8|1|=numeric:1
    a|avg|int8|1|=numeric:1.00000000000000000000
    a|variance|int8|1|NULL
    a|var_pop|int8|1|=numeric:0
    a|count|int2|1|2|=bigint:2
    a|sum|int2|1|2|=bigint:3
    a|avg|int2|1|2|=numeric:1.5000000000000000
    a|min|int2|1|2|=smallint:1
    a|max|int2|1|2|=smallint:2
    a|stddev|int2|1|2|=numeric:0.70710678118654752440
    a|variance|int2|1|2|=numeric:0.50000000000000000000
    a|stddev_pop|int2|1|2|=numeric:0.50000000000000000000
    a|var_pop|int2|1|2|=numeric:0.25000000000000000000
    a|stddev_samp|int2|1|2|=numeric:0.70710678118654752440
    a|var_samp|int2|1|2|=numeric:0.50000000000000000000
    a|sum|int2|1|=bigint:1
    a|avg|int2|1|=numeric:1.00000000000000000000
    a|variance|int2|1|NULL
    a|var_pop|int2|1|=numeric:0
    a|count|numeric|1.5|2.25|\#u{1}|=bigint:2
    a|sum|numeric|1.5|2.25|\#u{1}|=numeric:3.75
    a|avg|numeric|1.5|2.25|\#u{1}|=numeric:1.8750000000000000
    a|min|numeric|1.5|2.25|\#u{1}|=numeric:1.5
    a|max|numeric|1.5|2.25|\#u{1}|=numeric:2.25
    a|stddev|numeric|1.5|2.25|\#u{1}|=numeric:0.53033008588991064330
    a|variance|numeric|1.5|2.25|\#u{1}|=numeric:0.28125000000000000000
    a|stddev_pop|numeric|1.5|2.25|\#u{1}|=numeric:0.37500000000000000000
    a|var_pop|numeric|1.5|2.25|\#u{1}|=numeric:0.14062500000000000000
    a|stddev_samp|numeric|1.5|2.25|\#u{1}|=numeric:0.53033008588991064330
    a|var_samp|numeric|1.5|2.25|\#u{1}|=numeric:0.28125000000000000000
    a|sum|numeric|1.5|=numeric:1.5
    a|avg|numeric|1.5|=numeric:1.50000000000000000000
    a|variance|numeric|1.5|NULL
    a|var_pop|numeric|1.5|=numeric:0
    a|count|float8|1.5|2.25|3.5|=bigint:3
    a|sum|float8|1.5|2.25|3.5|=double precision:7.25
    a|avg|float8|1.5|2.25|3.5|=double precision:2.4166666666666665
    a|min|float8|1.5|2.25|3.5|=double precision:1.5
    a|max|float8|1.5|2.25|3.5|=double precision:3.5
    a|stddev|float8|1.5|2.25|3.5|=double precision:1.0103629710818451
    a|variance|float8|1.5|2.25|3.5|=double precision:1.0208333333333335
    a|stddev_pop|float8|1.5|2.25|3.5|=double precision:0.8249579113843055
    a|var_pop|float8|1.5|2.25|3.5|=double precision:0.6805555555555557
    a|stddev_samp|float8|1.5|2.25|3.5|=double precision:1.0103629710818451
    a|var_samp|float8|1.5|2.25|3.5|=double precision:1.0208333333333335
    a|sum|float8|1.5|=double precision:1.5
    a|avg|float8|1.5|=double precision:1.5
    a|variance|float8|1.5|NULL
    a|var_pop|float8|1.5|=double precision:0
    a|count|float4|1.5|2.25|=bigint:2
    a|sum|float4|1.5|2.25|=real:3.75
    a|avg|float4|1.5|2.25|=double precision:1.875
    a|min|float4|1.5|2.25|=real:1.5
    a|max|float4|1.5|2.25|=real:2.25
    a|stddev|float4|1.5|2.25|=double precision:0.5303300858899106
    a|variance|float4|1.5|2.25|=double precision:0.28125
    a|stddev_pop|float4|1.5|2.25|=double precision:0.375
    a|var_pop|float4|1.5|2.25|=double precision:0.140625
    a|stddev_samp|float4|1.5|2.25|=double precision:0.5303300858899106
    a|var_samp|float4|1.5|2.25|=double precision:0.28125
    a|sum|float4|1.5|=real:1.5
    a|avg|float4|1.5|=double precision:1.5
    a|variance|float4|1.5|NULL
    a|var_pop|float4|1.5|=double precision:0
    a|sum|int8|9223372036854775807|9223372036854775807|=numeric:18446744073709551614
    a|sum|int4|\#u{1}|NULL
    a|count|int4|\#u{1}|=bigint:0
    a|avg|int4|1|2|2|=numeric:1.6666666666666667
    a|avg|int8|10|20|33|=numeric:21.0000000000000000
    a|sum|interval|1 day|02:00|=interval:1 day 02:00:00
    a|avg|interval|1 day|1 mon|=interval:15 days 12:00:00
    a|bool_and|bool|t|f|=boolean:f
    a|bool_or|bool|t|f|=boolean:t
    a|every|bool|t|t|=boolean:t
    a|bit_and|int4|12|10|=integer:8
    a|bit_or|int4|12|10|=integer:14
    a|bit_xor|int4|12|10|=integer:6
    a|min|text|b|a|=text:a
    a|max|date|2020-01-01|2021-01-01|=date:2021-01-01
    a|array_agg|int4|1|\#u{1}|3|=integer[]:{1,NULL,3}
    a|string_agg|text,text|a|\#u{1}|b|=text:a,b
    a|max|interval|1 day|25:00|=interval:25:00:00
    a|min|bpchar|b |a|=character:a
    a|sum|float8|1e308|1e308|!22003 value out of range: overflow
    a|avg|float8|Infinity|1|=double precision:Infinity
    a|variance|float8|Infinity|1|=double precision:NaN
    a|sum|numeric|NaN|1|=numeric:NaN
    a|array_agg|text|a|b|=text[]:{a,b}
    a|max|int4[]|{1,2}|{1,3}|=integer[]:{1,3}
    s|generate_series|int4,int4|1|5|=integer:1;2;3;4;5
    s|generate_series|int4,int4,int4|5|1|-2|=integer:5;3;1
    s|generate_series|int8,int8|1|3|=bigint:1;2;3
    s|generate_series|numeric,numeric,numeric|1|2|0.25|=numeric:1;1.25;1.50;1.75;2.00
    s|generate_series|timestamp,timestamp,interval|2020-01-30|2020-04-01|1 month|=timestamp without time zone:2020-01-30 00:00:00;2020-02-29 00:00:00;2020-03-29 00:00:00
    s|generate_series|int4,int4,int4|1|2|0|!22023 step size cannot equal zero
    s|generate_series|int4,int4|2147483646|2147483647|=integer:2147483646;2147483647
    s|unnest|text[]|{a,b}|=text:a;b
    s|generate_subscripts|int4[],int4|[2:4]={1,2,3}|1|=integer:2;3;4
    s|string_to_table|text,text|a,b|,|=text:a;b
    s|regexp_split_to_table|text,text|a b| |=text:a;b
    s|regexp_matches|text,text,text|a1b2|[a-z](\\d)|g|=text[]:{1};{2}
    s|generate_series|timestamptz,timestamptz,interval|2020-03-07|2020-03-09|1 day|=timestamp with time zone:2020-03-07 00:00:00+00;2020-03-08 00:00:00+00;2020-03-09 00:00:00+00
    o|->|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a|=json:3
    o|->>|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a|=text:3
    o|->|json,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a|=json:3
    o|->|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|b|=json:[1, "x", null, {"c": 2.50}]
    o|->>|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|b|=text:[1, "x", null, {"c": 2.50}]
    o|->|json,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|b|=json:[1, "x", null, {"c": 2.50}]
    o|->|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|zz|NULL
    o|->>|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|zz|NULL
    o|->|json,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|zz|NULL
    o|->|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|n|=json:null
    o|->>|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|n|NULL
    o|->|json,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|n|=json:null
    o|->|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a2|=json:{"x": "y\\u00e9\\n"}
    o|->>|json,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a2|=text:{"x": "y\\u00e9\\n"}
    o|->|json,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a2|=json:{"x": "y\\u00e9\\n"}
    o|->|json,int4|[1,"x", null, {"c":2.50}]|0|=json:1
    o|->>|json,int4|[1,"x", null, {"c":2.50}]|0|=text:1
    o|->|json,int4|[1,"x", null, {"c":2.50}]|1|=json:"x"
    o|->>|json,int4|[1,"x", null, {"c":2.50}]|1|=text:x
    o|->|json,int4|[1,"x", null, {"c":2.50}]|2|=json:null
    o|->>|json,int4|[1,"x", null, {"c":2.50}]|2|NULL
    o|->|json,int4|[1,"x", null, {"c":2.50}]|-1|=json:{"c":2.50}
    o|->>|json,int4|[1,"x", null, {"c":2.50}]|-1|=text:{"c":2.50}
    o|->|json,int4|[1,"x", null, {"c":2.50}]|9|NULL
    o|->>|json,int4|[1,"x", null, {"c":2.50}]|9|NULL
    o|#>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{b,3,c}|=json:2.50
    o|#>>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{b,3,c}|=text:2.50
    o|#>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{b,1}|=json:"x"
    o|#>>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{b,1}|=text:x
    o|#>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{zz}|NULL
    o|#>>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{zz}|NULL
    o|#>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{a2,x}|=json:"y\\u00e9\\n"
    o|#>>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{a2,x}|=text:yé\n
    o|#>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{}|=json:{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}
    o|#>>|json,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{}|=text:{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}
    f|json_typeof|json|1|=text:number
    f|json_array_length|json|1|!22023 cannot get array length of a scalar
    f|json_strip_nulls|json|1|=json:1
    s|json_array_elements|json|1|!22023 cannot call json_array_elements on a scalar
    s|json_array_elements_text|json|1|!22023 cannot call json_array_elements_text on a scalar
    s|json_object_keys|json|1|!22023 cannot call json_object_keys on a scalar
    f|json_typeof|json|"a"|=text:string
    f|json_array_length|json|"a"|!22023 cannot get array length of a scalar
    f|json_strip_nulls|json|"a"|=json:"a"
    s|json_array_elements|json|"a"|!22023 cannot call json_array_elements on a scalar
    s|json_array_elements_text|json|"a"|!22023 cannot call json_array_elements_text on a scalar
    s|json_object_keys|json|"a"|!22023 cannot call json_object_keys on a scalar
    f|json_typeof|json|null|=text:null
    f|json_array_length|json|null|!22023 cannot get array length of a scalar
    f|json_strip_nulls|json|null|=json:null
    s|json_array_elements|json|null|!22023 cannot call json_array_elements on a scalar
    s|json_array_elements_text|json|null|!22023 cannot call json_array_elements_text on a scalar
    s|json_object_keys|json|null|!22023 cannot call json_object_keys on a scalar
    f|json_typeof|json|true|=text:boolean
    f|json_array_length|json|true|!22023 cannot get array length of a scalar
    f|json_strip_nulls|json|true|=json:true
    s|json_array_elements|json|true|!22023 cannot call json_array_elements on a scalar
    s|json_array_elements_text|json|true|!22023 cannot call json_array_elements_text on a scalar
    s|json_object_keys|json|true|!22023 cannot call json_object_keys on a scalar
    f|json_typeof|json|[1,2]|=text:array
    f|json_array_length|json|[1,2]|=integer:2
    f|json_strip_nulls|json|[1,2]|=json:[1,2]
    s|json_array_elements|json|[1,2]|=json:1;2
    s|json_array_elements_text|json|[1,2]|=text:1;2
    s|json_object_keys|json|[1,2]|!22023 cannot call json_object_keys on an array
    f|json_typeof|json|{}|=text:object
    f|json_array_length|json|{}|!22023 cannot get array length of a non-array
    f|json_strip_nulls|json|{}|=json:{}
    s|json_array_elements|json|{}|!22023 cannot call json_array_elements on a non-array
    s|json_array_elements_text|json|{}|!22023 cannot call json_array_elements_text on a non-array
    s|json_object_keys|json|{}|=text:
    f|json_typeof|json|{"a":null,"b":{"c":null}}|=text:object
    f|json_array_length|json|{"a":null,"b":{"c":null}}|!22023 cannot get array length of a non-array
    f|json_strip_nulls|json|{"a":null,"b":{"c":null}}|=json:{"b":{}}
    s|json_array_elements|json|{"a":null,"b":{"c":null}}|!22023 cannot call json_array_elements on a non-array
    s|json_array_elements_text|json|{"a":null,"b":{"c":null}}|!22023 cannot call json_array_elements_text on a non-array
    s|json_object_keys|json|{"a":null,"b":{"c":null}}|=text:a;b
    f|json_build_object|unknown,int4,unknown,bool,unknown,numeric,unknown,text,unknown,timestamp,unknown,int4[],unknown,json|a|1|b|t|c|1.50|d|\#u{1}|e|2020-01-02 03:04:05|f|{1,2}|g|{"x" :1}|=json:{"a" : 1, "b" : true, "c" : 1.50, "d" : null, "e" : "2020-01-02T03:04:05", "f" : [1,2], "g" : {"x" :1}}
    f|json_build_object|unknown|a|!22023 argument list must have even number of elements
    f|json_build_object|text,int4|\#u{1}|1|!22023 argument 1 cannot be null
    f|json_build_array|int4,unknown,int4,float8,date,timestamptz|1|a|\#u{1}|1.5|2020-01-01|2020-01-02 03:04:05|=json:[1, "a", null, 1.5, "2020-01-01", "2020-01-02T03:04:05+00:00"]
    f|json_build_object||=json:{}
    f|json_build_array||=json:[]
    f|json_object|text[]|{a,1,b,2}|=json:{"a" : "1", "b" : "2"}
    f|json_object|text[],text[]|{a,b}|{1,NULL}|=json:{"a" : "1", "b" : null}
    f|json_object|text[]|{a}|!2202E array must have even number of elements
    a|json_agg|int4|1|\#u{1}|3|=json:[1, null, 3]
    a|json_agg|text|a|b"c|=json:["a", "b\\"c"]
    a|json_agg|json|{"a": 1}|=json:[{"a": 1}]
    o|->|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a|=jsonb:3
    o|->>|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a|=text:3
    o|->|jsonb,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a|=jsonb:3
    o|->|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|b|=jsonb:[1, "x", null, {"c": 2.50}]
    o|->>|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|b|=text:[1, "x", null, {"c": 2.50}]
    o|->|jsonb,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|b|=jsonb:[1, "x", null, {"c": 2.50}]
    o|->|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|zz|NULL
    o|->>|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|zz|NULL
    o|->|jsonb,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|zz|NULL
    o|->|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|n|=jsonb:null
    o|->>|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|n|NULL
    o|->|jsonb,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|n|=jsonb:null
    o|->|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a2|=jsonb:{"x": "yé\\n"}
    o|->>|jsonb,text|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a2|=text:{"x": "yé\\n"}
    o|->|jsonb,unknown|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|a2|=jsonb:{"x": "yé\\n"}
    o|->|jsonb,int4|[1,"x", null, {"c":2.50}]|0|=jsonb:1
    o|->>|jsonb,int4|[1,"x", null, {"c":2.50}]|0|=text:1
    o|->|jsonb,int4|[1,"x", null, {"c":2.50}]|1|=jsonb:"x"
    o|->>|jsonb,int4|[1,"x", null, {"c":2.50}]|1|=text:x
    o|->|jsonb,int4|[1,"x", null, {"c":2.50}]|2|=jsonb:null
    o|->>|jsonb,int4|[1,"x", null, {"c":2.50}]|2|NULL
    o|->|jsonb,int4|[1,"x", null, {"c":2.50}]|-1|=jsonb:{"c": 2.50}
    o|->>|jsonb,int4|[1,"x", null, {"c":2.50}]|-1|=text:{"c": 2.50}
    o|->|jsonb,int4|[1,"x", null, {"c":2.50}]|9|NULL
    o|->>|jsonb,int4|[1,"x", null, {"c":2.50}]|9|NULL
    o|#>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{b,3,c}|=jsonb:2.50
    o|#>>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{b,3,c}|=text:2.50
    o|#>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{b,1}|=jsonb:"x"
    o|#>>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{b,1}|=text:x
    o|#>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{zz}|NULL
    o|#>>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{zz}|NULL
    o|#>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{a2,x}|=jsonb:"yé\\n"
    o|#>>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{a2,x}|=text:yé\n
    o|#>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{}|=jsonb:{"a": 3, "b": [1, "x", null, {"c": 2.50}], "n": null, "t": true, "a2": {"x": "yé\\n"}}
    o|#>>|jsonb,text[]|{"a": 1, "b": [1, "x", null, {"c": 2.50}], "a2": {"x": "y\\u00e9\\n"}, "t": true, "n": null, "a": 3}|{}|=text:{"a": 3, "b": [1, "x", null, {"c": 2.50}], "n": null, "t": true, "a2": {"x": "yé\\n"}}
    f|jsonb_typeof|jsonb|1|=text:number
    f|jsonb_array_length|jsonb|1|!22023 cannot get array length of a scalar
    f|jsonb_strip_nulls|jsonb|1|=jsonb:1
    s|jsonb_array_elements|jsonb|1|!22023 cannot extract elements from a scalar
    s|jsonb_array_elements_text|jsonb|1|!22023 cannot extract elements from a scalar
    s|jsonb_object_keys|jsonb|1|!22023 cannot call jsonb_object_keys on a scalar
    f|jsonb_typeof|jsonb|"a"|=text:string
    f|jsonb_array_length|jsonb|"a"|!22023 cannot get array length of a scalar
    f|jsonb_strip_nulls|jsonb|"a"|=jsonb:"a"
    s|jsonb_array_elements|jsonb|"a"|!22023 cannot extract elements from a scalar
    s|jsonb_array_elements_text|jsonb|"a"|!22023 cannot extract elements from a scalar
    s|jsonb_object_keys|jsonb|"a"|!22023 cannot call jsonb_object_keys on a scalar
    f|jsonb_typeof|jsonb|null|=text:null
    f|jsonb_array_length|jsonb|null|!22023 cannot get array length of a scalar
    f|jsonb_strip_nulls|jsonb|null|=jsonb:null
    s|jsonb_array_elements|jsonb|null|!22023 cannot extract elements from a scalar
    s|jsonb_array_elements_text|jsonb|null|!22023 cannot extract elements from a scalar
    s|jsonb_object_keys|jsonb|null|!22023 cannot call jsonb_object_keys on a scalar
    f|jsonb_typeof|jsonb|true|=text:boolean
    f|jsonb_array_length|jsonb|true|!22023 cannot get array length of a scalar
    f|jsonb_strip_nulls|jsonb|true|=jsonb:true
    s|jsonb_array_elements|jsonb|true|!22023 cannot extract elements from a scalar
    s|jsonb_array_elements_text|jsonb|true|!22023 cannot extract elements from a scalar
    s|jsonb_object_keys|jsonb|true|!22023 cannot call jsonb_object_keys on a scalar
    f|jsonb_typeof|jsonb|[1,2]|=text:array
    f|jsonb_array_length|jsonb|[1,2]|=integer:2
    f|jsonb_strip_nulls|jsonb|[1,2]|=jsonb:[1, 2]
    s|jsonb_array_elements|jsonb|[1,2]|=jsonb:1;2
    s|jsonb_array_elements_text|jsonb|[1,2]|=text:1;2
    s|jsonb_object_keys|jsonb|[1,2]|!22023 cannot call jsonb_object_keys on an array
    f|jsonb_typeof|jsonb|{}|=text:object
    f|jsonb_array_length|jsonb|{}|!22023 cannot get array length of a non-array
    f|jsonb_strip_nulls|jsonb|{}|=jsonb:{}
    s|jsonb_array_elements|jsonb|{}|!22023 cannot extract elements from an object
    s|jsonb_array_elements_text|jsonb|{}|!22023 cannot extract elements from an object
    s|jsonb_object_keys|jsonb|{}|=text:
    f|jsonb_typeof|jsonb|{"a":null,"b":{"c":null}}|=text:object
    f|jsonb_array_length|jsonb|{"a":null,"b":{"c":null}}|!22023 cannot get array length of a non-array
    f|jsonb_strip_nulls|jsonb|{"a":null,"b":{"c":null}}|=jsonb:{"b": {}}
    s|jsonb_array_elements|jsonb|{"a":null,"b":{"c":null}}|!22023 cannot extract elements from an object
    s|jsonb_array_elements_text|jsonb|{"a":null,"b":{"c":null}}|!22023 cannot extract elements from an object
    s|jsonb_object_keys|jsonb|{"a":null,"b":{"c":null}}|=text:a;b
    f|jsonb_build_object|unknown,int4,unknown,bool,unknown,numeric,unknown,text,unknown,timestamp,unknown,int4[],unknown,json|a|1|b|t|c|1.50|d|\#u{1}|e|2020-01-02 03:04:05|f|{1,2}|g|{"x" :1}|=jsonb:{"a": 1, "b": true, "c": 1.50, "d": null, "e": "2020-01-02T03:04:05", "f": [1, 2], "g": {"x": 1}}
    f|jsonb_build_object|unknown|a|!22023 argument list must have even number of elements
    f|jsonb_build_object|text,int4|\#u{1}|1|!22023 argument 1: key must not be null
    f|jsonb_build_array|int4,unknown,int4,float8,date,timestamptz|1|a|\#u{1}|1.5|2020-01-01|2020-01-02 03:04:05|=jsonb:[1, "a", null, 1.5, "2020-01-01", "2020-01-02T03:04:05+00:00"]
    f|jsonb_build_object||=jsonb:{}
    f|jsonb_build_array||=jsonb:[]
    f|jsonb_object|text[]|{a,1,b,2}|=jsonb:{"a": "1", "b": "2"}
    f|jsonb_object|text[],text[]|{a,b}|{1,NULL}|=jsonb:{"a": "1", "b": null}
    f|jsonb_object|text[]|{a}|!2202E array must have even number of elements
    a|jsonb_agg|int4|1|\#u{1}|3|=jsonb:[1, null, 3]
    a|jsonb_agg|text|a|b"c|=jsonb:["a", "b\\"c"]
    a|jsonb_agg|json|{"a": 1}|=jsonb:[{"a": 1}]
    f|to_json|int4|1|=json:1
    f|to_json|text|a"b|=json:"a\\"b"
    f|to_jsonb|numeric|1.50|=jsonb:1.50
    f|to_json|timestamptz|2020-01-02 03:04:05|=json:"2020-01-02T03:04:05+00:00"
    f|to_json|float8|NaN|=json:"NaN"
    f|to_json|int4[]|{{1,2},{3,4}}|=json:[[1,2],[3,4]]
    f|to_json|bool|t|=json:true
    f|array_to_json|int4[]|{1,2}|=json:[1,2]
    f|to_json|date|2020-01-01|=json:"2020-01-01"
    f|to_json|interval|1 day|=json:"1 day"
    f|to_jsonb|text[]|{a,NULL}|=jsonb:["a", null]
    o|@>|jsonb,jsonb|{"a":1,"b":2}|{"a":1}|=boolean:t
    o|<@|jsonb,jsonb|{"a":1,"b":2}|{"a":1}|=boolean:f
    o|\p\p|jsonb,jsonb|{"a":1,"b":2}|{"a":1}|=jsonb:{"a": 1, "b": 2}
    o|=|jsonb,jsonb|{"a":1,"b":2}|{"a":1}|=boolean:f
    o|<|jsonb,jsonb|{"a":1,"b":2}|{"a":1}|=boolean:f
    o|@>|jsonb,jsonb|[1,2,3]|[1,3]|=boolean:t
    o|<@|jsonb,jsonb|[1,2,3]|[1,3]|=boolean:f
    o|\p\p|jsonb,jsonb|[1,2,3]|[1,3]|=jsonb:[1, 2, 3, 1, 3]
    o|=|jsonb,jsonb|[1,2,3]|[1,3]|=boolean:f
    o|<|jsonb,jsonb|[1,2,3]|[1,3]|=boolean:f
    o|@>|jsonb,jsonb|[1,2,3]|1|=boolean:t
    o|<@|jsonb,jsonb|[1,2,3]|1|=boolean:f
    o|\p\p|jsonb,jsonb|[1,2,3]|1|=jsonb:[1, 2, 3, 1]
    o|=|jsonb,jsonb|[1,2,3]|1|=boolean:f
    o|<|jsonb,jsonb|[1,2,3]|1|=boolean:f
    o|@>|jsonb,jsonb|{"a":[1,2]}|{"a":[1]}|=boolean:t
    o|<@|jsonb,jsonb|{"a":[1,2]}|{"a":[1]}|=boolean:f
    o|\p\p|jsonb,jsonb|{"a":[1,2]}|{"a":[1]}|=jsonb:{"a": [1]}
    o|=|jsonb,jsonb|{"a":[1,2]}|{"a":[1]}|=boolean:f
    o|<|jsonb,jsonb|{"a":[1,2]}|{"a":[1]}|=boolean:f
    o|@>|jsonb,jsonb|{"a":1}|{"a":2}|=boolean:f
    o|<@|jsonb,jsonb|{"a":1}|{"a":2}|=boolean:f
    o|\p\p|jsonb,jsonb|{"a":1}|{"a":2}|=jsonb:{"a": 2}
    o|=|jsonb,jsonb|{"a":1}|{"a":2}|=boolean:f
    o|<|jsonb,jsonb|{"a":1}|{"a":2}|=boolean:t
    o|@>|jsonb,jsonb|[[1]]|[1]|=boolean:f
    o|<@|jsonb,jsonb|[[1]]|[1]|=boolean:f
    o|\p\p|jsonb,jsonb|[[1]]|[1]|=jsonb:[[1], 1]
    o|=|jsonb,jsonb|[[1]]|[1]|=boolean:f
    o|<|jsonb,jsonb|[[1]]|[1]|=boolean:f
    o|@>|jsonb,jsonb|1|1|=boolean:t
    o|<@|jsonb,jsonb|1|1|=boolean:t
    o|\p\p|jsonb,jsonb|1|1|=jsonb:[1, 1]
    o|=|jsonb,jsonb|1|1|=boolean:t
    o|<|jsonb,jsonb|1|1|=boolean:f
    o|@>|jsonb,jsonb|[{"a":1}]|[{}]|=boolean:t
    o|<@|jsonb,jsonb|[{"a":1}]|[{}]|=boolean:f
    o|\p\p|jsonb,jsonb|[{"a":1}]|[{}]|=jsonb:[{"a": 1}, {}]
    o|=|jsonb,jsonb|[{"a":1}]|[{}]|=boolean:f
    o|<|jsonb,jsonb|[{"a":1}]|[{}]|=boolean:f
    o|?|jsonb,text|{"a":1}|a|=boolean:t
    o|?\p|jsonb,text[]|{"a":1}|{a,z}|=boolean:t
    o|?&|jsonb,text[]|{"a":1}|{a,z}|=boolean:f
    o|-|jsonb,text|{"a":1}|a|=jsonb:{}
    o|-|jsonb,int4|{"a":1}|0|!22023 cannot delete from object using integer index
    o|#-|jsonb,text[]|{"a":1}|{a}|=jsonb:{}
    o|-|jsonb,text[]|{"a":1}|{a}|=jsonb:{}
    o|?|jsonb,text|["a","b"]|a|=boolean:t
    o|?\p|jsonb,text[]|["a","b"]|{a,z}|=boolean:t
    o|?&|jsonb,text[]|["a","b"]|{a,z}|=boolean:f
    o|-|jsonb,text|["a","b"]|a|=jsonb:["b"]
    o|-|jsonb,int4|["a","b"]|0|=jsonb:["b"]
    o|#-|jsonb,text[]|["a","b"]|{a}|!22P02 path element at position 1 is not an integer: "a"
    o|-|jsonb,text[]|["a","b"]|{a}|=jsonb:["b"]
    o|?|jsonb,text|"a"|a|=boolean:t
    o|?\p|jsonb,text[]|"a"|{a,z}|=boolean:t
    o|?&|jsonb,text[]|"a"|{a,z}|=boolean:f
    o|-|jsonb,text|"a"|a|!22023 cannot delete from scalar
    o|-|jsonb,int4|"a"|0|!22023 cannot delete from scalar
    o|#-|jsonb,text[]|"a"|{a}|!22023 cannot delete path in scalar
    o|-|jsonb,text[]|"a"|{a}|!22023 cannot delete from scalar
    o|?|jsonb,text|1|a|=boolean:f
    o|?\p|jsonb,text[]|1|{a,z}|=boolean:f
    o|?&|jsonb,text[]|1|{a,z}|=boolean:f
    o|-|jsonb,text|1|a|!22023 cannot delete from scalar
    o|-|jsonb,int4|1|0|!22023 cannot delete from scalar
    o|#-|jsonb,text[]|1|{a}|!22023 cannot delete path in scalar
    o|-|jsonb,text[]|1|{a}|!22023 cannot delete from scalar
    f|jsonb_set|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{a}|9|t|=jsonb:{"a": 9, "b": [1, 2]}
    f|jsonb_insert|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{a}|9|t|!22023 cannot replace existing key
    f|jsonb_set|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{z}|9|t|=jsonb:{"a": 1, "b": [1, 2], "z": 9}
    f|jsonb_insert|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{z}|9|t|=jsonb:{"a": 1, "b": [1, 2], "z": 9}
    f|jsonb_set|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{z}|9|f|=jsonb:{"a": 1, "b": [1, 2]}
    f|jsonb_insert|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{z}|9|f|=jsonb:{"a": 1, "b": [1, 2], "z": 9}
    f|jsonb_set|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{b,0}|9|t|=jsonb:{"a": 1, "b": [9, 2]}
    f|jsonb_insert|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{b,0}|9|t|=jsonb:{"a": 1, "b": [1, 9, 2]}
    f|jsonb_set|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{b,9}|9|t|=jsonb:{"a": 1, "b": [1, 2, 9]}
    f|jsonb_insert|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{b,9}|9|t|=jsonb:{"a": 1, "b": [1, 2, 9]}
    f|jsonb_set|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{b,-9}|9|t|=jsonb:{"a": 1, "b": [9, 1, 2]}
    f|jsonb_insert|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{b,-9}|9|t|=jsonb:{"a": 1, "b": [9, 1, 2]}
    f|jsonb_set|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{b,x}|9|t|!22P02 path element at position 2 is not an integer: "x"
    f|jsonb_insert|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{b,x}|9|t|!22P02 path element at position 2 is not an integer: "x"
    f|jsonb_set|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{q,r}|9|t|=jsonb:{"a": 1, "b": [1, 2]}
    f|jsonb_insert|jsonb,text[],jsonb,bool|{"a":1,"b":[1,2]}|{q,r}|9|t|=jsonb:{"a": 1, "b": [1, 2]}
    f|jsonb_set|jsonb,text[],jsonb|{"a":1}|{a}|5|=jsonb:{"a": 5}
    f|jsonb_pretty|jsonb|{"a":[1,{"b":null}],"c":{},"d":[]}|=text:{\n    "a": [\n        1,\n        {\n            "b": null\n        }\n    ],\n    "c": {\n    },\n    "d": [\n    ]\n}
    c|json|text|{"a":1|!22P02 invalid input syntax for type json
    c|jsonb|text|{"a":1|!22P02 invalid input syntax for type json
    c|json|text|[1,]|!22P02 invalid input syntax for type json
    c|jsonb|text|[1,]|!22P02 invalid input syntax for type json
    c|json|text|{"a" 1}|!22P02 invalid input syntax for type json
    c|jsonb|text|{"a" 1}|!22P02 invalid input syntax for type json
    c|json|text|{a:1}|!22P02 invalid input syntax for type json
    c|jsonb|text|{a:1}|!22P02 invalid input syntax for type json
    c|json|text|"\\u12"|!22P02 invalid input syntax for type json
    c|jsonb|text|"\\u12"|!22P02 invalid input syntax for type json
    c|json|text|"\\ud800"|="\\ud800"
    c|jsonb|text|"\\ud800"|!22P02 invalid input syntax for type json
    c|json|text|"\\u0000"|="\\u0000"
    c|jsonb|text|"\\u0000"|!22P05 unsupported Unicode escape sequence
    c|json|text|01|!22P02 invalid input syntax for type json
    c|jsonb|text|01|!22P02 invalid input syntax for type json
    c|json|text|1.|!22P02 invalid input syntax for type json
    c|jsonb|text|1.|!22P02 invalid input syntax for type json
    c|json|text|-|!22P02 invalid input syntax for type json
    c|jsonb|text|-|!22P02 invalid input syntax for type json
    c|json|text|tru|!22P02 invalid input syntax for type json
    c|jsonb|text|tru|!22P02 invalid input syntax for type json
    c|json|text||!22P02 invalid input syntax for type json
    c|jsonb|text||!22P02 invalid input syntax for type json
    c|json|text| |!22P02 invalid input syntax for type json
    c|jsonb|text| |!22P02 invalid input syntax for type json
    c|json|text|[1 2]|!22P02 invalid input syntax for type json
    c|jsonb|text|[1 2]|!22P02 invalid input syntax for type json
    c|json|text|{"a":1,}|!22P02 invalid input syntax for type json
    c|jsonb|text|{"a":1,}|!22P02 invalid input syntax for type json
    c|json|text|"abc|!22P02 invalid input syntax for type json
    c|jsonb|text|"abc|!22P02 invalid input syntax for type json
    c|json|text|"a\\x"|!22P02 invalid input syntax for type json
    c|jsonb|text|"a\\x"|!22P02 invalid input syntax for type json
    c|json|text|1e5|=1e5
    c|jsonb|text|1e5|=100000
    c|json|text|1.0|=1.0
    c|jsonb|text|1.0|=1.0
    c|json|text|{"b":1,"aa":2,"a":3}|={"b":1,"aa":2,"a":3}
    c|jsonb|text|{"b":1,"aa":2,"a":3}|={"a": 3, "b": 1, "aa": 2}
    c|json|text|{"a":1,"a":2}|={"a":1,"a":2}
    c|jsonb|text|{"a":1,"a":2}|={"a": 2}
    c|json|text|[]|=[]
    c|jsonb|text|[]|=[]
    c|json|text|{}|={}
    c|jsonb|text|{}|={}
    c|json|text|"\\u00e9\\/"|="\\u00e9\\/"
    c|jsonb|text|"\\u00e9\\/"|="é/"
    c|json|text|[1,2,[3,[4]]]|=[1,2,[3,[4]]]
    c|jsonb|text|[1,2,[3,[4]]]|=[1, 2, [3, [4]]]
    c|json|text|nullx|!22P02 invalid input syntax for type json
    c|jsonb|text|nullx|!22P02 invalid input syntax for type json
    c|json|text|1 2|!22P02 invalid input syntax for type json
    c|jsonb|text|1 2|!22P02 invalid input syntax for type json
    c|json|text|"\\ud83d\\ude00"|="\\ud83d\\ude00"
    c|jsonb|text|"\\ud83d\\ude00"|="😀"
    o|<|jsonb,jsonb|[]|{}|=boolean:t
    o|=|jsonb,jsonb|[]|{}|=boolean:f
    o|>|jsonb,jsonb|[]|{}|=boolean:f
    o|<|jsonb,jsonb|[1]|[]|=boolean:f
    o|=|jsonb,jsonb|[1]|[]|=boolean:f
    o|>|jsonb,jsonb|[1]|[]|=boolean:t
    o|<|jsonb,jsonb|{"a":1}|{"b":0}|=boolean:t
    o|=|jsonb,jsonb|{"a":1}|{"b":0}|=boolean:f
    o|>|jsonb,jsonb|{"a":1}|{"b":0}|=boolean:f
    o|<|jsonb,jsonb|"a"|1|=boolean:t
    o|=|jsonb,jsonb|"a"|1|=boolean:f
    o|>|jsonb,jsonb|"a"|1|=boolean:f
    o|<|jsonb,jsonb|true|1|=boolean:f
    o|=|jsonb,jsonb|true|1|=boolean:f
    o|>|jsonb,jsonb|true|1|=boolean:t
    o|<|jsonb,jsonb|null|"a"|=boolean:t
    o|=|jsonb,jsonb|null|"a"|=boolean:f
    o|>|jsonb,jsonb|null|"a"|=boolean:f
    o|<|jsonb,jsonb|[1,2]|[2]|=boolean:f
    o|=|jsonb,jsonb|[1,2]|[2]|=boolean:f
    o|>|jsonb,jsonb|[1,2]|[2]|=boolean:t
    o|<|jsonb,jsonb|{"a":1}|[1]|=boolean:f
    o|=|jsonb,jsonb|{"a":1}|[1]|=boolean:f
    o|>|jsonb,jsonb|{"a":1}|[1]|=boolean:t
    o|->>|jsonb,unknown|{"a":1}|a|=text:1
    o|=|json,json|{"a":1}|{"a":1}|!42883 operator does not exist: json = json
    f|json_extract_path_text|json,unknown,unknown|{"a":{"b":5}}|a|b|=text:5
    f|jsonb_extract_path|jsonb,unknown,unknown|{"a":{"b":5}}|a|b|=jsonb:5
    """#
