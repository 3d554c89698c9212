/// Inputs and what PostgreSQL 15 made of them: settings | type | input | `=` output, or `!` SQLSTATE and
/// message. Backslash escapes: `\\`, `\t`, `\n` and `\p` for the bar.
let typeVectors = #"""
    |int4| 12 |=12
    |int4|-2147483648|=-2147483648
    |int4|2147483648|!22003 value "2147483648" is out of range for type integer
    |int4|99999999999999999999|!22003 value "99999999999999999999" is out of range for type integer
    |int4|abc|!22P02 invalid input syntax for type integer: "abc"
    |int4||!22P02 invalid input syntax for type integer: ""
    |int4|1.5|!22P02 invalid input syntax for type integer: "1.5"
    |int4|+5|=5
    |int4|0x10|!22P02 invalid input syntax for type integer: "0x10"
    |int4|1e3|!22P02 invalid input syntax for type integer: "1e3"
    |int4|- 5|!22P02 invalid input syntax for type integer: "- 5"
    |int4|\t7\n|=7
    |int4|007|=7
    |int2|32767|=32767
    |int2|32768|!22003 value "32768" is out of range for type smallint
    |int2|-32768|=-32768
    |int2|-32769|!22003 value "-32769" is out of range for type smallint
    |int2|x|!22P02 invalid input syntax for type smallint: "x"
    |int8|9223372036854775807|=9223372036854775807
    |int8|9223372036854775808|!22003 value "9223372036854775808" is out of range for type bigint
    |int8|-9223372036854775808|=-9223372036854775808
    |int8|-9223372036854775809|!22003 value "-9223372036854775809" is out of range for type bigint
    |int8|12 3|!22P02 invalid input syntax for type bigint: "12 3"
    |oid|0|=0
    |oid|4294967295|=4294967295
    |oid|-1|=4294967295
    |oid|4294967296|!22003 value "4294967296" is out of range for type oid
    |oid|x|!22P02 invalid input syntax for type oid: "x"
    |bool|t|=t
    |bool|TRUE|=t
    |bool|tr|=t
    |bool|y|=t
    |bool|yes|=t
    |bool|on|=t
    |bool|1|=t
    |bool|f|=f
    |bool|no|=f
    |bool|off|=f
    |bool|of|=f
    |bool|o|!22P02 invalid input syntax for type boolean: "o"
    |bool|0|=f
    |bool|2|!22P02 invalid input syntax for type boolean: "2"
    |bool||!22P02 invalid input syntax for type boolean: ""
    |bool|  true  |=t
    |bool|nope|!22P02 invalid input syntax for type boolean: "nope"
    |float8|1|=1
    |float8|1.5|=1.5
    |float8|0.1|=0.1
    |float8|1e15|=1e+15
    |float8|1e14|=100000000000000
    |float8|123456789012345678|=1.2345678901234568e+17
    |float8|0.0001|=0.0001
    |float8|0.00001|=1e-05
    |float8|1e-5|=1e-05
    |float8|-0|=-0
    |float8|NaN|=NaN
    |float8|inf|=Infinity
    |float8|-Infinity|=-Infinity
    |float8|1e400|!22003 "1e400" is out of range for type double precision
    |float8|1e-400|!22003 "1e-400" is out of range for type double precision
    |float8|abc|!22P02 invalid input syntax for type double precision: "abc"
    |float8||!22P02 invalid input syntax for type double precision: ""
    |float8|1.0e+300|=1e+300
    |float8|3.14159265358979|=3.14159265358979
    |float8|2.5e-324|=5e-324
    |float8|1e22|=1e+22
    |float8|123456.789e3|=123456789
    |float8|.5|=0.5
    |float8|5.|=5
    |float8|100000|=100000
    |float8|1e5 |=100000
    |float8|infinityx|!22P02 invalid input syntax for type double precision: "infinityx"
    |float8|4.35|=4.35
    |float8|9007199254740993|=9.007199254740992e+15
    |float8|12345678.9|=12345678.9
    |float4|1|=1
    |float4|1.5|=1.5
    |float4|0.1|=0.1
    |float4|1e6|=1e+06
    |float4|999999|=999999
    |float4|1234567|=1.234567e+06
    |float4|0.0001|=0.0001
    |float4|0.00001|=1e-05
    |float4|3.4e38|=3.4e+38
    |float4|3.5e38|!22003 "3.5e38" is out of range for type real
    |float4|1e-50|!22003 "1e-50" is out of range for type real
    |float4|NaN|=NaN
    |float4|-inf|=-Infinity
    |float4|16777217|=1.6777216e+07
    |float4|0.3|=0.3
    |float4|1e5|=100000
    |float4|123456.7|=123456.7
    |numeric|1|=1
    |numeric|1.50|=1.50
    |numeric|-0.00|=0.00
    |numeric|0|=0
    |numeric|.5|=0.5
    |numeric|5.|=5
    |numeric|1e3|=1000
    |numeric|1.5e-3|=0.0015
    |numeric|1e-20|=0.00000000000000000001
    |numeric|NaN|=NaN
    |numeric|nan|=NaN
    |numeric|inf|=Infinity
    |numeric|-Infinity|=-Infinity
    |numeric|+inf|=Infinity
    |numeric|abc|!22P02 invalid input syntax for type numeric: "abc"
    |numeric||!22P02 invalid input syntax for type numeric: ""
    |numeric|1..2|!22P02 invalid input syntax for type numeric: "1..2"
    |numeric|1e|!22P02 invalid input syntax for type numeric: "1e"
    |numeric|--1|!22P02 invalid input syntax for type numeric: "--1"
    |numeric|12345678901234567890.123456789|=12345678901234567890.123456789
    |numeric|1e100|=10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
    |numeric|0.000000000000000000000000000001|=0.000000000000000000000000000001
    |numeric|99999999999999999999999999999999999999|=99999999999999999999999999999999999999
    |numeric|1e131072|!22003 value overflows numeric format
    |numeric|1e-16384|!22003 value overflows numeric format
    |numeric|-1.2.3|!22P02 invalid input syntax for type numeric: "-1.2.3"
    |numeric| 1 |=1
    |numeric|1 2|!22P02 invalid input syntax for type numeric: "1 2"
    |numeric|1e+2|=100
    |numeric|9223372036854775807|=9223372036854775807
    |numeric|9223372036854775808|=9223372036854775808
    |numeric|-9223372036854775808|=-9223372036854775808
    |numeric|0e5|=0
    |numeric|0.0e-3|=0.0000
    |numeric|1_000|!22P02 invalid input syntax for type numeric: "1_000"
    |numeric(5,2)|123.45|=123.45
    |numeric(5,2)|123.456|=123.46
    |numeric(5,2)|999.994|=999.99
    |numeric(5,2)|999.995|!22003 numeric field overflow
    |numeric(5,2)|-999.995|!22003 numeric field overflow
    |numeric(5,2)|1e3|!22003 numeric field overflow
    |numeric(5,2)|NaN|=NaN
    |numeric(5,2)|inf|!22003 numeric field overflow
    |numeric(5,2)|0.001|=0.00
    |numeric(3,-2)|12345|=12300
    |numeric(3,-2)|99949|=99900
    |numeric(3,-2)|99950|!22003 numeric field overflow
    |numeric(3,-2)|49|=0
    |numeric(3,5)|0.001|=0.00100
    |numeric(3,5)|0.00999|=0.00999
    |numeric(3,5)|0.00999999|!22003 numeric field overflow
    |numeric(3,5)|0.01|!22003 numeric field overflow
    |numeric(10,0)|1.5|=2
    |numeric(10,0)|2.5|=3
    |numeric(10,0)|-0.5|=-1
    |text||=
    |text|abc|=abc
    |text|é|=é
    |name|xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    |"char"||=
    |"char"|a|=a
    |"char"|abc|=a
    |"char"|\\377|=\\377
    |bytea|\\x|=\\x
    |bytea|\\xDEADbeef|=\\xdeadbeef
    |bytea|\\xde ad|=\\xdead
    |bytea|\\xabc|!22023 invalid hexadecimal data: odd number of digits
    |bytea|\\xzz|!22023 invalid hexadecimal digit: "z"
    |bytea|abc|=\\x616263
    |bytea|a\\\\b|=\\x615c62
    |bytea|a\\001b|=\\x610162
    |bytea|a\\9|!22P02 invalid input syntax for type bytea
    |bytea|\\xé|!22023 invalid hexadecimal digit: "é"
    |uuid|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
    |uuid|A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11|=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
    |uuid|{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}|=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
    |uuid|a0eebc999c0b4ef8bb6d6bb9bd380a11|=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
    |uuid|a0eebc99|!22P02 invalid input syntax for type uuid: "a0eebc99"
    |uuid|x|!22P02 invalid input syntax for type uuid: "x"
    |uuid|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11z|!22P02 invalid input syntax for type uuid: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11z"
    |date|2020-02-29|=2020-02-29
    |date|2021-02-29|!22008 date/time field value out of range: "2021-02-29"
    |date|2020-13-01|!22008 date/time field value out of range: "2020-13-01"
    |date|2020-00-10|!22008 date/time field value out of range: "2020-00-10"
    |date|2020-01-32|!22008 date/time field value out of range: "2020-01-32"
    |date|99-01-02|!22008 date/time field value out of range: "99-01-02"
    |date|70-01-02|!22008 date/time field value out of range: "70-01-02"
    |date|69-01-02|!22008 date/time field value out of range: "69-01-02"
    |date|20200102|=2020-01-02
    |date|January 8, 1999|=1999-01-08
    |date|1999-01-08|=1999-01-08
    |date|1/8/1999|=1999-01-08
    |date|1/18/1999|=1999-01-18
    |date|18/1/1999|!22008 date/time field value out of range: "18/1/1999"
    |date|01/02/03|=2003-01-02
    |date|1999-Jan-08|=1999-01-08
    |date|Jan-08-1999|=1999-01-08
    |date|08-Jan-1999|=1999-01-08
    |date|99-Jan-08|!22008 date/time field value out of range: "99-Jan-08"
    |date|08-Jan-99|=1999-01-08
    |date|19990108|=1999-01-08
    |date|990108|=1999-01-08
    |date|1999.008|=1999-01-08
    |date|J2451187|=1999-01-08
    |date|January 8, 99 BC|=0099-01-08 BC
    |date|0044-03-15 BC|=0044-03-15 BC
    |date|infinity|=infinity
    |date|-infinity|=-infinity
    |date|epoch|=1970-01-01
    |date|5874897-12-31|=5874897-12-31
    |date|5874898-01-01|!22008 date out of range: "5874898-01-01"
    |date|4713-01-01 BC|=4713-01-01 BC
    |date|4714-11-23 BC|!22008 date out of range: "4714-11-23 BC"
    |date|4714-11-24 BC|=4714-11-24 BC
    |date|abc|!22007 invalid input syntax for type date: "abc"
    |date||!22007 invalid input syntax for type date: ""
    |date|2020-1-2|=2020-01-02
    |date|2020/01/02|=2020-01-02
    |date|20/01/02|!22008 date/time field value out of range: "20/01/02"
    |date|2020-01-02 10:00:00|=2020-01-02
    |date|2020-01-02T10:00:00Z|=2020-01-02
    |date|10:00|!22007 invalid input syntax for type date: "10:00"
    |date|1999-366|=2000-01-01
    |date|2000-366|=2000-12-31
    |date|Mon Jan 3 2000|=2000-01-03
    |date|Jan 3|!22007 invalid input syntax for type date: "Jan 3"
    |date|0000-01-01|!22008 date/time field value out of range: "0000-01-01"
    |date|10000-01-01|=10000-01-01
    |date|2020-06-31|!22008 date/time field value out of range: "2020-06-31"
    |date|now x|!22007 invalid input syntax for type date: "now x"
    |date|99999-01-01|=99999-01-01
    |date|2020-01-02 BC AD|!22007 invalid input syntax for type date: "2020-01-02 BC AD"
    |date|15 January 2001|=2001-01-15
    |date|2001 Jan 15|=2001-01-15
    |date|2020-W01|!22007 invalid input syntax for type date: "2020-W01"
    |time|10:11:12|=10:11:12
    |time|10:11|=10:11:00
    |time|10:11:12.123456|=10:11:12.123456
    |time|10:11:12.1234567|=10:11:12.123457
    |time|24:00:00|=24:00:00
    |time|24:00:01|!22008 date/time field value out of range: "24:00:01"
    |time|25:00|!22008 date/time field value out of range: "25:00"
    |time|10:60|!22008 date/time field value out of range: "10:60"
    |time|10:11:60|=10:12:00
    |time|10:11:61|!22008 date/time field value out of range: "10:11:61"
    |time|101112|=10:11:12
    |time|1011|=10:11:00
    |time|10:11 PM|=22:11:00
    |time|12:00 AM|=00:00:00
    |time|12:30 PM|=12:30:00
    |time|13:00 PM|!22008 date/time field value out of range: "13:00 PM"
    |time|10:11:12 UTC|=10:11:12
    |time|10:11:12+02|=10:11:12
    |time|allballs|=00:00:00
    |time|abc|!22007 invalid input syntax for type time: "abc"
    |time||!22007 invalid input syntax for type time: ""
    |time|2020-01-01 10:00:00|=10:00:00
    |time|04:05:06 PST|=04:05:06
    |time|040506|=04:05:06
    |time|T040506|=04:05:06
    |time|23:59:59.9999999|=24:00:00
    |time(2)|10:11:12.125|=10:11:12.13
    |time(2)|23:59:59.999|=24:00:00
    |timestamp|2020-01-02 03:04:05|=2020-01-02 03:04:05
    |timestamp|2020-01-02T03:04:05|=2020-01-02 03:04:05
    |timestamp|2020-01-02 03:04:05.123456789|=2020-01-02 03:04:05.123457
    |timestamp|2020-01-02|=2020-01-02 00:00:00
    |timestamp|2020-01-02 24:00:00|=2020-01-03 00:00:00
    |timestamp|2020-01-02 03:04|=2020-01-02 03:04:00
    |timestamp|2020-01-02 03:04:05+02|=2020-01-02 03:04:05
    |timestamp|2020-01-02 03:04:05 PM|=2020-01-02 15:04:05
    |timestamp|infinity|=infinity
    |timestamp|-infinity|=-infinity
    |timestamp|epoch|=1970-01-01 00:00:00
    |timestamp|294276-12-31 23:59:59.999999|=294276-12-31 23:59:59.999999
    |timestamp|294277-01-01|!22008 timestamp out of range: "294277-01-01"
    |timestamp|4714-11-24 00:00:00 BC|=4714-11-24 00:00:00 BC
    |timestamp|4714-11-23 BC|!22008 timestamp out of range: "4714-11-23 BC"
    |timestamp|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00 BC
    |timestamp|abc|!22007 invalid input syntax for type timestamp: "abc"
    |timestamp||!22007 invalid input syntax for type timestamp: ""
    |timestamp|2020-01-02 25:00:00|!22008 date/time field value out of range: "2020-01-02 25:00:00"
    |timestamp|2020-02-30 00:00:00|!22008 date/time field value out of range: "2020-02-30 00:00:00"
    |timestamp|Thu Jan 02 03:04:05 2020|=2020-01-02 03:04:05
    |timestamp|20200102T030405|=2020-01-02 03:04:05
    |timestamp|20200102 030405|=2020-01-02 03:04:05
    |timestamp|Jan 2 2020 3:04PM|=2020-01-02 15:04:00
    |timestamp|2020-01-02 03:04:05 BC|=2020-01-02 03:04:05 BC
    |timestamp|1999-01-08 04:05:06.789-8|=1999-01-08 04:05:06.789
    |timestamp|2020-01-02 03:04:05 America/New_York|=2020-01-02 03:04:05
    |timestamp|2020-01-02 03:04:05 Foo/Bar|!22023 time zone "foo/bar" not recognized
    |timestamp|2020-01-02 03:04:05 foo|!22007 invalid input syntax for type timestamp: "2020-01-02 03:04:05 foo"
    |timestamp|2020-01-02 3:4:5|=2020-01-02 03:04:05
    |timestamp|2020-01-02 03:04:05.|=2020-01-02 03:04:05
    |timestamp|infinity 2020-01-01|!22007 invalid input syntax for type timestamp: "infinity 2020-01-01"
    |timestamp|2020-01-02 03:04:05+16|!22009 time zone displacement out of range: "2020-01-02 03:04:05+16"
    |timestamp(0)|2020-01-02 03:04:05.5|=2020-01-02 03:04:06
    |timestamp(0)|2020-01-02 03:04:05.4999|=2020-01-02 03:04:05
    |timestamp(0)|1999-12-31 23:59:59.5|=1999-12-31 23:59:59
    |timestamp(3)|2020-01-02 03:04:05.12345|=2020-01-02 03:04:05.123
    |timestamp(3)|1969-07-20 20:17:40.9996|=1969-07-20 20:17:41
    |interval|1 day|=1 day
    |interval|1 day 02:03:04|=1 day 02:03:04
    |interval|-1 day +02:03:04|=-1 days +02:03:04
    |interval|1 year 2 mons 3 days 04:05:06.789|=1 year 2 mons 3 days 04:05:06.789
    |interval|1.5 days|=1 day 12:00:00
    |interval|1.5 months|=1 mon 15 days
    |interval|1.5 years|=1 year 6 mons
    |interval|0.5 week|=3 days 12:00:00
    |interval|P1Y2M3DT4H5M6S|=1 year 2 mons 3 days 04:05:06
    |interval|PT36H|=36:00:00
    |interval|P1W|=7 days
    |interval|P0001-02-03T04:05:06|=1 year 2 mons 3 days 04:05:06
    |interval|1-2|=1 year 2 mons
    |interval|1 2:03:04|=1 day 02:03:04
    |interval|-1-2|=-1 years -2 mons
    |interval|@ 1 minute ago|=-00:01:00
    |interval|1 day ago|=-1 days
    |interval|1|=00:00:01
    |interval|1.5|=00:00:01.5
    |interval|10:00|=10:00:00
    |interval|-10:00:00.5|=-10:00:00.5
    |interval|1 hour 30 minutes|=01:30:00
    |interval|1 foo|!22007 invalid input syntax for type interval: "1 foo"
    |interval|abc|!22007 invalid input syntax for type interval: "abc"
    |interval||!22007 invalid input syntax for type interval: ""
    |interval|1 decade|=10 years
    |interval|1 century 1 millennium|=1100 years
    |interval|100000000000 years|!22015 interval field value out of range: "100000000000 years"
    |interval|2147483647 months|=178956970 years 7 mons
    |interval|1 week 3 days|=10 days
    |interval|1 mon -1 days|=1 mon -1 days
    |interval|-1 mon 1 day -00:00:01|=-1 mons +1 day -00:00:01
    |interval|00:00:00|=00:00:00
    |interval|1 microsecond|=00:00:00.000001
    |interval|1 ms|=00:00:00.001
    |interval|2147483648 days|!22015 interval field value out of range: "2147483648 days"
    |interval|P1.5D|=1 day 12:00:00
    |interval|PT0.5S|=00:00:00.5
    |interval|P|!22007 invalid input syntax for type interval: "P"
    |interval|1 year ago 2 days|=-1 years -2 days
    |interval|1h|=01:00:00
    |interval|1y 2mon 3d 4h 5m 6s|=1 year 2 mons 3 days 04:05:06
    |interval|  1   day  |=1 day
    |interval|99:99|!22015 interval field value out of range: "99:99"
    |interval|12:34:60|=12:35:00
    |interval|04:05:06.789|=04:05:06.789
    |interval|1 2 days|!22007 invalid input syntax for type interval: "1 2 days"
    |interval|178956970 years 7 months|=178956970 years 7 mons
    |interval|-0.1 seconds|=-00:00:00.1
    |interval|1.234567891 seconds|=00:00:01.234568
    |interval|1 day 1 day|!22007 invalid input syntax for type interval: "1 day 1 day"
    |interval|.5 days|=12:00:00
    |interval(0)|1.5 seconds|=00:00:02
    |interval(0)|1.4 seconds|=00:00:01
    |interval(0)|-1.5 seconds|=-00:00:02
    |interval day|5|=5 days
    |interval day|1 day 03:00:00|=1 day
    |interval year to month|1-2|=1 year 2 mons
    |interval year to month|5|=5 mons
    |interval year to month|1 year 3 days|=1 year
    |interval hour to minute|10:20:30|=10:20:00
    |interval hour to minute|1:2|=01:02:00
    |interval minute to second|10:20|=00:10:20
    |interval minute to second|5|=00:00:05
    |int4[]|{}|={}
    |int4[]|{1,2,3}|={1,2,3}
    |int4[]|{{1,2},{3,4}}|={{1,2},{3,4}}
    |int4[]|{{1,2},{3}}|!22P02 malformed array literal: "{{1,2},{3}}"
    |int4[]|{1,NULL,null}|={1,NULL,NULL}
    |int4[]|[0:2]={1,2,3}|=[0:2]={1,2,3}
    |int4[]|[2:3][1:2]={{1,2},{3,4}}|=[2:3][1:2]={{1,2},{3,4}}
    |int4[]|[1:2]={1,2,3}|!22P02 malformed array literal: "[1:2]={1,2,3}"
    |int4[]|{1,2|!22P02 malformed array literal: "{1,2"
    |int4[]|1,2}|!22P02 malformed array literal: "1,2}"
    |int4[]|{1,,2}|!22P02 malformed array literal: "{1,,2}"
    |int4[]|{,}|!22P02 malformed array literal: "{,}"
    |int4[]|{1,2}}|!22P02 malformed array literal: "{1,2}}"
    |int4[]|{ 1 , 2 }|={1,2}
    |int4[]|{a}|!22P02 invalid input syntax for type integer: "a"
    |int4[]|{"1","2"}|={1,2}
    |int4[]|{{}}|!22P02 malformed array literal: "{{}}"
    |int4[]|{{},{}}|!22P02 malformed array literal: "{{},{}}"
    |int4[]|[1:0]={}|!2202E upper bound cannot be less than lower bound
    |int4[]|{1,{2}}|!22P02 malformed array literal: "{1,{2}}"
    |int4[]|{{1},2}|!22P02 malformed array literal: "{{1},2}"
    |int4[]| {1} |={1}
    |int4[]|{1} x|!22P02 malformed array literal: "{1} x"
    |int4[]||!22P02 malformed array literal: ""
    |text[]|{a,"b c","d\\"e","",NULL,"NULL",null}|={a,"b c","d\\"e","",NULL,"NULL",NULL}
    |text[]|{a b, c }|={"a b",c}
    |text[]|{"a\\\\b"}|={"a\\\\b"}
    |text[]|{a\\,b}|={"a,b"}
    |text[]|{"a,b","{}"}|={"a,b","{}"}
    |text[]|{é}|={é}
    |text[]|{"a" b}|!22P02 malformed array literal: "{"a" b}"
    |text[]|{a"b}|!22P02 malformed array literal: "{a"b}"
    |text[]|{{a,b},{c,d}}|={{a,b},{c,d}}
    |text[]|{"tab\there"}|={"tab\there"}
    |float8[]|{1.5,NaN,Infinity,1e20}|={1.5,NaN,Infinity,1e+20}
    |timestamp[]|{2020-01-01 00:00:00,"2020-01-02 03:04:05.5"}|={"2020-01-01 00:00:00","2020-01-02 03:04:05.5"}
    |bool[]|{t,f,true}|={t,f,t}
    |numeric(4,1)[]|{1.25,2.35}|={1.3,2.4}
    |int2vector|1 2 3|=1 2 3
    |int2vector||=
    |oidvector|23 25|=23 25
    |pg_lsn|0/0|=0/0
    |pg_lsn|16/B374D848|=16/B374D848
    |pg_lsn|FFFFFFFF/FFFFFFFF|=FFFFFFFF/FFFFFFFF
    |pg_lsn|x|!22P02 invalid input syntax for type pg_lsn: "x"
    |pg_lsn|1|!22P02 invalid input syntax for type pg_lsn: "1"
    timezone=UTC|timestamptz|2020-01-02 03:04:05|=2020-01-02 03:04:05+00
    timezone=UTC|timestamptz|2020-07-02 03:04:05|=2020-07-02 03:04:05+00
    timezone=UTC|timestamptz|2020-01-02 03:04:05+05:30|=2020-01-01 21:34:05+00
    timezone=UTC|timestamptz|2020-01-02 03:04:05Z|=2020-01-02 03:04:05+00
    timezone=UTC|timestamptz|2020-03-08 02:30:00|=2020-03-08 02:30:00+00
    timezone=UTC|timestamptz|2020-11-01 01:30:00|=2020-11-01 01:30:00+00
    timezone=UTC|timestamptz|2020-03-29 02:30:00|=2020-03-29 02:30:00+00
    timezone=UTC|timestamptz|2020-10-25 02:30:00|=2020-10-25 02:30:00+00
    timezone=UTC|timestamptz|1900-01-01 00:00:00|=1900-01-01 00:00:00+00
    timezone=UTC|timestamptz|2050-07-01 12:00:00|=2050-07-01 12:00:00+00
    timezone=UTC|timestamptz|2050-01-01 12:00:00|=2050-01-01 12:00:00+00
    timezone=UTC|timestamptz|infinity|=infinity
    timezone=UTC|timestamptz|2020-01-02 03:04:05 PST|=2020-01-02 11:04:05+00
    timezone=UTC|timestamptz|2020-07-02 03:04:05 Europe/Berlin|=2020-07-02 01:04:05+00
    timezone=UTC|timestamptz|2020-01-02 03:04:05-00:30|=2020-01-02 03:34:05+00
    timezone=UTC|timestamptz|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00+00 BC
    timezone=UTC|timestamptz|294276-12-31 23:59:59|=294276-12-31 23:59:59+00
    timezone=UTC|timestamptz|1883-11-18 12:03:58|=1883-11-18 12:03:58+00
    timezone=UTC|timestamptz|2020-01-02 03:04:05+15:59:59|=2020-01-01 11:04:06+00
    timezone=UTC|timestamptz|2020-01-02 03:04:05 EST5EDT|=2020-01-02 08:04:05+00
    timezone=UTC|timestamptz|2500-07-01 00:00:00|=2500-07-01 00:00:00+00
    timezone=UTC|timestamptz|2020-01-02 03:04:05 +0530|=2020-01-01 21:34:05+00
    timezone=UTC|timestamptz|2020-01-02 abc|!22007 invalid input syntax for type timestamp with time zone: "2020-01-02 abc"
    timezone=UTC|timestamptz|2020-01-02 03:04:05 zulu|=2020-01-02 03:04:05+00
    timezone=UTC|timestamptz|2020-01-02 03:04:05 GMT+3|=2020-01-02 06:04:05+00
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05|=2020-01-02 03:04:05-05
    timezone=America/New_York|timestamptz|2020-07-02 03:04:05|=2020-07-02 03:04:05-04
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05+05:30|=2020-01-01 16:34:05-05
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05Z|=2020-01-01 22:04:05-05
    timezone=America/New_York|timestamptz|2020-03-08 02:30:00|=2020-03-08 03:30:00-04
    timezone=America/New_York|timestamptz|2020-11-01 01:30:00|=2020-11-01 01:30:00-05
    timezone=America/New_York|timestamptz|2020-03-29 02:30:00|=2020-03-29 02:30:00-04
    timezone=America/New_York|timestamptz|2020-10-25 02:30:00|=2020-10-25 02:30:00-04
    timezone=America/New_York|timestamptz|1900-01-01 00:00:00|=1900-01-01 00:00:00-05
    timezone=America/New_York|timestamptz|2050-07-01 12:00:00|=2050-07-01 12:00:00-04
    timezone=America/New_York|timestamptz|2050-01-01 12:00:00|=2050-01-01 12:00:00-05
    timezone=America/New_York|timestamptz|infinity|=infinity
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05 PST|=2020-01-02 06:04:05-05
    timezone=America/New_York|timestamptz|2020-07-02 03:04:05 Europe/Berlin|=2020-07-01 21:04:05-04
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05-00:30|=2020-01-01 22:34:05-05
    timezone=America/New_York|timestamptz|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00-04:56:02 BC
    timezone=America/New_York|timestamptz|294276-12-31 23:59:59|!22008 timestamp out of range: "294276-12-31 23:59:59"
    timezone=America/New_York|timestamptz|1883-11-18 12:03:58|=1883-11-18 12:03:58-05
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05+15:59:59|=2020-01-01 06:04:06-05
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05 EST5EDT|=2020-01-02 03:04:05-05
    timezone=America/New_York|timestamptz|2500-07-01 00:00:00|=2500-07-01 00:00:00-04
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05 +0530|=2020-01-01 16:34:05-05
    timezone=America/New_York|timestamptz|2020-01-02 abc|!22007 invalid input syntax for type timestamp with time zone: "2020-01-02 abc"
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05 zulu|=2020-01-01 22:04:05-05
    timezone=America/New_York|timestamptz|2020-01-02 03:04:05 GMT+3|=2020-01-02 01:04:05-05
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05|=2020-01-02 03:04:05+01
    timezone=Europe/Berlin|timestamptz|2020-07-02 03:04:05|=2020-07-02 03:04:05+02
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05+05:30|=2020-01-01 22:34:05+01
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05Z|=2020-01-02 04:04:05+01
    timezone=Europe/Berlin|timestamptz|2020-03-08 02:30:00|=2020-03-08 02:30:00+01
    timezone=Europe/Berlin|timestamptz|2020-11-01 01:30:00|=2020-11-01 01:30:00+01
    timezone=Europe/Berlin|timestamptz|2020-03-29 02:30:00|=2020-03-29 03:30:00+02
    timezone=Europe/Berlin|timestamptz|2020-10-25 02:30:00|=2020-10-25 02:30:00+01
    timezone=Europe/Berlin|timestamptz|1900-01-01 00:00:00|=1900-01-01 00:00:00+01
    timezone=Europe/Berlin|timestamptz|2050-07-01 12:00:00|=2050-07-01 12:00:00+02
    timezone=Europe/Berlin|timestamptz|2050-01-01 12:00:00|=2050-01-01 12:00:00+01
    timezone=Europe/Berlin|timestamptz|infinity|=infinity
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05 PST|=2020-01-02 12:04:05+01
    timezone=Europe/Berlin|timestamptz|2020-07-02 03:04:05 Europe/Berlin|=2020-07-02 03:04:05+02
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05-00:30|=2020-01-02 04:34:05+01
    timezone=Europe/Berlin|timestamptz|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00+00:53:28 BC
    timezone=Europe/Berlin|timestamptz|294276-12-31 23:59:59|=294276-12-31 23:59:59+01
    timezone=Europe/Berlin|timestamptz|1883-11-18 12:03:58|=1883-11-18 12:03:58+00:53:28
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05+15:59:59|=2020-01-01 12:04:06+01
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05 EST5EDT|=2020-01-02 09:04:05+01
    timezone=Europe/Berlin|timestamptz|2500-07-01 00:00:00|=2500-07-01 00:00:00+02
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05 +0530|=2020-01-01 22:34:05+01
    timezone=Europe/Berlin|timestamptz|2020-01-02 abc|!22007 invalid input syntax for type timestamp with time zone: "2020-01-02 abc"
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05 zulu|=2020-01-02 04:04:05+01
    timezone=Europe/Berlin|timestamptz|2020-01-02 03:04:05 GMT+3|=2020-01-02 07:04:05+01
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05|=2020-01-02 03:04:05+05:30
    timezone=Asia/Kolkata|timestamptz|2020-07-02 03:04:05|=2020-07-02 03:04:05+05:30
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05+05:30|=2020-01-02 03:04:05+05:30
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05Z|=2020-01-02 08:34:05+05:30
    timezone=Asia/Kolkata|timestamptz|2020-03-08 02:30:00|=2020-03-08 02:30:00+05:30
    timezone=Asia/Kolkata|timestamptz|2020-11-01 01:30:00|=2020-11-01 01:30:00+05:30
    timezone=Asia/Kolkata|timestamptz|2020-03-29 02:30:00|=2020-03-29 02:30:00+05:30
    timezone=Asia/Kolkata|timestamptz|2020-10-25 02:30:00|=2020-10-25 02:30:00+05:30
    timezone=Asia/Kolkata|timestamptz|1900-01-01 00:00:00|=1900-01-01 00:00:00+05:21:10
    timezone=Asia/Kolkata|timestamptz|2050-07-01 12:00:00|=2050-07-01 12:00:00+05:30
    timezone=Asia/Kolkata|timestamptz|2050-01-01 12:00:00|=2050-01-01 12:00:00+05:30
    timezone=Asia/Kolkata|timestamptz|infinity|=infinity
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05 PST|=2020-01-02 16:34:05+05:30
    timezone=Asia/Kolkata|timestamptz|2020-07-02 03:04:05 Europe/Berlin|=2020-07-02 06:34:05+05:30
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05-00:30|=2020-01-02 09:04:05+05:30
    timezone=Asia/Kolkata|timestamptz|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00+05:53:28 BC
    timezone=Asia/Kolkata|timestamptz|294276-12-31 23:59:59|=294276-12-31 23:59:59+05:30
    timezone=Asia/Kolkata|timestamptz|1883-11-18 12:03:58|=1883-11-18 12:03:58+05:21:10
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05+15:59:59|=2020-01-01 16:34:06+05:30
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05 EST5EDT|=2020-01-02 13:34:05+05:30
    timezone=Asia/Kolkata|timestamptz|2500-07-01 00:00:00|=2500-07-01 00:00:00+05:30
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05 +0530|=2020-01-02 03:04:05+05:30
    timezone=Asia/Kolkata|timestamptz|2020-01-02 abc|!22007 invalid input syntax for type timestamp with time zone: "2020-01-02 abc"
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05 zulu|=2020-01-02 08:34:05+05:30
    timezone=Asia/Kolkata|timestamptz|2020-01-02 03:04:05 GMT+3|=2020-01-02 11:34:05+05:30
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05|=2020-01-02 03:04:05+11
    timezone=Australia/Lord_Howe|timestamptz|2020-07-02 03:04:05|=2020-07-02 03:04:05+10:30
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05+05:30|=2020-01-02 08:34:05+11
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05Z|=2020-01-02 14:04:05+11
    timezone=Australia/Lord_Howe|timestamptz|2020-03-08 02:30:00|=2020-03-08 02:30:00+11
    timezone=Australia/Lord_Howe|timestamptz|2020-11-01 01:30:00|=2020-11-01 01:30:00+11
    timezone=Australia/Lord_Howe|timestamptz|2020-03-29 02:30:00|=2020-03-29 02:30:00+11
    timezone=Australia/Lord_Howe|timestamptz|2020-10-25 02:30:00|=2020-10-25 02:30:00+11
    timezone=Australia/Lord_Howe|timestamptz|1900-01-01 00:00:00|=1900-01-01 00:00:00+10
    timezone=Australia/Lord_Howe|timestamptz|2050-07-01 12:00:00|=2050-07-01 12:00:00+10:30
    timezone=Australia/Lord_Howe|timestamptz|2050-01-01 12:00:00|=2050-01-01 12:00:00+11
    timezone=Australia/Lord_Howe|timestamptz|infinity|=infinity
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05 PST|=2020-01-02 22:04:05+11
    timezone=Australia/Lord_Howe|timestamptz|2020-07-02 03:04:05 Europe/Berlin|=2020-07-02 11:34:05+10:30
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05-00:30|=2020-01-02 14:34:05+11
    timezone=Australia/Lord_Howe|timestamptz|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00+10:36:20 BC
    timezone=Australia/Lord_Howe|timestamptz|294276-12-31 23:59:59|=294276-12-31 23:59:59+11
    timezone=Australia/Lord_Howe|timestamptz|1883-11-18 12:03:58|=1883-11-18 12:03:58+10:36:20
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05+15:59:59|=2020-01-01 22:04:06+11
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05 EST5EDT|=2020-01-02 19:04:05+11
    timezone=Australia/Lord_Howe|timestamptz|2500-07-01 00:00:00|=2500-07-01 00:00:00+10:30
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05 +0530|=2020-01-02 08:34:05+11
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 abc|!22007 invalid input syntax for type timestamp with time zone: "2020-01-02 abc"
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05 zulu|=2020-01-02 14:04:05+11
    timezone=Australia/Lord_Howe|timestamptz|2020-01-02 03:04:05 GMT+3|=2020-01-02 17:04:05+11
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05|=2020-01-02 03:04:05+01
    timezone=Africa/Casablanca|timestamptz|2020-07-02 03:04:05|=2020-07-02 03:04:05+01
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05+05:30|=2020-01-01 22:34:05+01
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05Z|=2020-01-02 04:04:05+01
    timezone=Africa/Casablanca|timestamptz|2020-03-08 02:30:00|=2020-03-08 02:30:00+01
    timezone=Africa/Casablanca|timestamptz|2020-11-01 01:30:00|=2020-11-01 01:30:00+01
    timezone=Africa/Casablanca|timestamptz|2020-03-29 02:30:00|=2020-03-29 02:30:00+01
    timezone=Africa/Casablanca|timestamptz|2020-10-25 02:30:00|=2020-10-25 02:30:00+01
    timezone=Africa/Casablanca|timestamptz|1900-01-01 00:00:00|=1900-01-01 00:00:00-00:30:20
    timezone=Africa/Casablanca|timestamptz|2050-07-01 12:00:00|=2050-07-01 12:00:00+01
    timezone=Africa/Casablanca|timestamptz|2050-01-01 12:00:00|=2050-01-01 12:00:00+01
    timezone=Africa/Casablanca|timestamptz|infinity|=infinity
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05 PST|=2020-01-02 12:04:05+01
    timezone=Africa/Casablanca|timestamptz|2020-07-02 03:04:05 Europe/Berlin|=2020-07-02 02:04:05+01
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05-00:30|=2020-01-02 04:34:05+01
    timezone=Africa/Casablanca|timestamptz|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00-00:30:20 BC
    timezone=Africa/Casablanca|timestamptz|294276-12-31 23:59:59|=294276-12-31 23:59:59+01
    timezone=Africa/Casablanca|timestamptz|1883-11-18 12:03:58|=1883-11-18 12:03:58-00:30:20
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05+15:59:59|=2020-01-01 12:04:06+01
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05 EST5EDT|=2020-01-02 09:04:05+01
    timezone=Africa/Casablanca|timestamptz|2500-07-01 00:00:00|=2500-07-01 00:00:00+01
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05 +0530|=2020-01-01 22:34:05+01
    timezone=Africa/Casablanca|timestamptz|2020-01-02 abc|!22007 invalid input syntax for type timestamp with time zone: "2020-01-02 abc"
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05 zulu|=2020-01-02 04:04:05+01
    timezone=Africa/Casablanca|timestamptz|2020-01-02 03:04:05 GMT+3|=2020-01-02 07:04:05+01
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05|=2020-01-02 03:04:05+03
    timezone=<+03>-03|timestamptz|2020-07-02 03:04:05|=2020-07-02 03:04:05+03
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05+05:30|=2020-01-02 00:34:05+03
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05Z|=2020-01-02 06:04:05+03
    timezone=<+03>-03|timestamptz|2020-03-08 02:30:00|=2020-03-08 02:30:00+03
    timezone=<+03>-03|timestamptz|2020-11-01 01:30:00|=2020-11-01 01:30:00+03
    timezone=<+03>-03|timestamptz|2020-03-29 02:30:00|=2020-03-29 02:30:00+03
    timezone=<+03>-03|timestamptz|2020-10-25 02:30:00|=2020-10-25 02:30:00+03
    timezone=<+03>-03|timestamptz|1900-01-01 00:00:00|=1900-01-01 00:00:00+03
    timezone=<+03>-03|timestamptz|2050-07-01 12:00:00|=2050-07-01 12:00:00+03
    timezone=<+03>-03|timestamptz|2050-01-01 12:00:00|=2050-01-01 12:00:00+03
    timezone=<+03>-03|timestamptz|infinity|=infinity
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05 PST|=2020-01-02 14:04:05+03
    timezone=<+03>-03|timestamptz|2020-07-02 03:04:05 Europe/Berlin|=2020-07-02 04:04:05+03
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05-00:30|=2020-01-02 06:34:05+03
    timezone=<+03>-03|timestamptz|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00+03 BC
    timezone=<+03>-03|timestamptz|294276-12-31 23:59:59|=294276-12-31 23:59:59+03
    timezone=<+03>-03|timestamptz|1883-11-18 12:03:58|=1883-11-18 12:03:58+03
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05+15:59:59|=2020-01-01 14:04:06+03
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05 EST5EDT|=2020-01-02 11:04:05+03
    timezone=<+03>-03|timestamptz|2500-07-01 00:00:00|=2500-07-01 00:00:00+03
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05 +0530|=2020-01-02 00:34:05+03
    timezone=<+03>-03|timestamptz|2020-01-02 abc|!22007 invalid input syntax for type timestamp with time zone: "2020-01-02 abc"
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05 zulu|=2020-01-02 06:04:05+03
    timezone=<+03>-03|timestamptz|2020-01-02 03:04:05 GMT+3|=2020-01-02 09:04:05+03
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05|=2020-01-02 03:04:05-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-07-02 03:04:05|=2020-07-02 03:04:05-04
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05+05:30|=2020-01-01 16:34:05-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05Z|=2020-01-01 22:04:05-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-03-08 02:30:00|=2020-03-08 03:30:00-04
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-11-01 01:30:00|=2020-11-01 01:30:00-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-03-29 02:30:00|=2020-03-29 02:30:00-04
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-10-25 02:30:00|=2020-10-25 02:30:00-04
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|1900-01-01 00:00:00|=1900-01-01 00:00:00-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2050-07-01 12:00:00|=2050-07-01 12:00:00-04
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2050-01-01 12:00:00|=2050-01-01 12:00:00-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|infinity|=infinity
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05 PST|=2020-01-02 06:04:05-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-07-02 03:04:05 Europe/Berlin|=2020-07-01 21:04:05-04
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05-00:30|=2020-01-01 22:34:05-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|0001-01-01 00:00:00 BC|=0001-01-01 00:00:00-05 BC
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|294276-12-31 23:59:59|!22008 timestamp out of range: "294276-12-31 23:59:59"
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|1883-11-18 12:03:58|=1883-11-18 12:03:58-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05+15:59:59|=2020-01-01 06:04:06-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05 EST5EDT|=2020-01-02 03:04:05-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2500-07-01 00:00:00|=2500-07-01 00:00:00-04
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05 +0530|=2020-01-01 16:34:05-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 abc|!22007 invalid input syntax for type timestamp with time zone: "2020-01-02 abc"
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05 zulu|=2020-01-01 22:04:05-05
    timezone=EST5EDT,M3.2.0,M11.1.0|timestamptz|2020-01-02 03:04:05 GMT+3|=2020-01-02 01:04:05-05
    datestyle=SQL, MDY;timezone=America/New_York|date|2020-03-04|=03/04/2020
    datestyle=SQL, MDY;timezone=America/New_York|date|0044-03-15 BC|=03/15/0044 BC
    datestyle=SQL, MDY;timezone=America/New_York|timestamp|2020-03-04 05:06:07.5|=03/04/2020 05:06:07.5
    datestyle=SQL, MDY;timezone=America/New_York|timestamptz|2020-03-04 05:06:07|=03/04/2020 05:06:07 EST
    datestyle=SQL, MDY;timezone=America/New_York|date|01/02/03|=01/02/2003
    datestyle=SQL, MDY;timezone=America/New_York|date|2003-04-05|=04/05/2003
    datestyle=SQL, MDY;timezone=America/New_York|date|18.1.1999|!22008 date/time field value out of range: "18.1.1999"
    datestyle=SQL, MDY;timezone=America/New_York|date|1999 Jan 8|=01/08/1999
    datestyle=SQL, DMY;timezone=America/New_York|date|2020-03-04|=04/03/2020
    datestyle=SQL, DMY;timezone=America/New_York|date|0044-03-15 BC|=15/03/0044 BC
    datestyle=SQL, DMY;timezone=America/New_York|timestamp|2020-03-04 05:06:07.5|=04/03/2020 05:06:07.5
    datestyle=SQL, DMY;timezone=America/New_York|timestamptz|2020-03-04 05:06:07|=04/03/2020 05:06:07 EST
    datestyle=SQL, DMY;timezone=America/New_York|date|01/02/03|=01/02/2003
    datestyle=SQL, DMY;timezone=America/New_York|date|2003-04-05|=05/04/2003
    datestyle=SQL, DMY;timezone=America/New_York|date|18.1.1999|=18/01/1999
    datestyle=SQL, DMY;timezone=America/New_York|date|1999 Jan 8|=08/01/1999
    datestyle=Postgres, MDY;timezone=America/New_York|date|2020-03-04|=03-04-2020
    datestyle=Postgres, MDY;timezone=America/New_York|date|0044-03-15 BC|=03-15-0044 BC
    datestyle=Postgres, MDY;timezone=America/New_York|timestamp|2020-03-04 05:06:07.5|=Wed Mar 04 05:06:07.5 2020
    datestyle=Postgres, MDY;timezone=America/New_York|timestamptz|2020-03-04 05:06:07|=Wed Mar 04 05:06:07 2020 EST
    datestyle=Postgres, MDY;timezone=America/New_York|date|01/02/03|=01-02-2003
    datestyle=Postgres, MDY;timezone=America/New_York|date|2003-04-05|=04-05-2003
    datestyle=Postgres, MDY;timezone=America/New_York|date|18.1.1999|!22008 date/time field value out of range: "18.1.1999"
    datestyle=Postgres, MDY;timezone=America/New_York|date|1999 Jan 8|=01-08-1999
    datestyle=Postgres, DMY;timezone=America/New_York|date|2020-03-04|=04-03-2020
    datestyle=Postgres, DMY;timezone=America/New_York|date|0044-03-15 BC|=15-03-0044 BC
    datestyle=Postgres, DMY;timezone=America/New_York|timestamp|2020-03-04 05:06:07.5|=Wed 04 Mar 05:06:07.5 2020
    datestyle=Postgres, DMY;timezone=America/New_York|timestamptz|2020-03-04 05:06:07|=Wed 04 Mar 05:06:07 2020 EST
    datestyle=Postgres, DMY;timezone=America/New_York|date|01/02/03|=01-02-2003
    datestyle=Postgres, DMY;timezone=America/New_York|date|2003-04-05|=05-04-2003
    datestyle=Postgres, DMY;timezone=America/New_York|date|18.1.1999|=18-01-1999
    datestyle=Postgres, DMY;timezone=America/New_York|date|1999 Jan 8|=08-01-1999
    datestyle=German, DMY;timezone=America/New_York|date|2020-03-04|=04.03.2020
    datestyle=German, DMY;timezone=America/New_York|date|0044-03-15 BC|=15.03.0044 BC
    datestyle=German, DMY;timezone=America/New_York|timestamp|2020-03-04 05:06:07.5|=04.03.2020 05:06:07.5
    datestyle=German, DMY;timezone=America/New_York|timestamptz|2020-03-04 05:06:07|=04.03.2020 05:06:07 EST
    datestyle=German, DMY;timezone=America/New_York|date|01/02/03|=01.02.2003
    datestyle=German, DMY;timezone=America/New_York|date|2003-04-05|=05.04.2003
    datestyle=German, DMY;timezone=America/New_York|date|18.1.1999|=18.01.1999
    datestyle=German, DMY;timezone=America/New_York|date|1999 Jan 8|=08.01.1999
    datestyle=ISO, DMY;timezone=America/New_York|date|2020-03-04|=2020-03-04
    datestyle=ISO, DMY;timezone=America/New_York|date|0044-03-15 BC|=0044-03-15 BC
    datestyle=ISO, DMY;timezone=America/New_York|timestamp|2020-03-04 05:06:07.5|=2020-03-04 05:06:07.5
    datestyle=ISO, DMY;timezone=America/New_York|timestamptz|2020-03-04 05:06:07|=2020-03-04 05:06:07-05
    datestyle=ISO, DMY;timezone=America/New_York|date|01/02/03|=2003-02-01
    datestyle=ISO, DMY;timezone=America/New_York|date|2003-04-05|=2003-04-05
    datestyle=ISO, DMY;timezone=America/New_York|date|18.1.1999|=1999-01-18
    datestyle=ISO, DMY;timezone=America/New_York|date|1999 Jan 8|=1999-01-08
    datestyle=ISO, YMD;timezone=America/New_York|date|2020-03-04|=2020-03-04
    datestyle=ISO, YMD;timezone=America/New_York|date|0044-03-15 BC|=0044-03-15 BC
    datestyle=ISO, YMD;timezone=America/New_York|timestamp|2020-03-04 05:06:07.5|=2020-03-04 05:06:07.5
    datestyle=ISO, YMD;timezone=America/New_York|timestamptz|2020-03-04 05:06:07|=2020-03-04 05:06:07-05
    datestyle=ISO, YMD;timezone=America/New_York|date|01/02/03|=2001-02-03
    datestyle=ISO, YMD;timezone=America/New_York|date|2003-04-05|=2003-04-05
    datestyle=ISO, YMD;timezone=America/New_York|date|18.1.1999|!22008 date/time field value out of range: "18.1.1999"
    datestyle=ISO, YMD;timezone=America/New_York|date|1999 Jan 8|=1999-01-08
    intervalstyle=postgres_verbose|interval|1 year 2 mons 3 days 04:05:06.789|=@ 1 year 2 mons 3 days 4 hours 5 mins 6.789 secs
    intervalstyle=postgres_verbose|interval|-1 year|=@ 1 year ago
    intervalstyle=postgres_verbose|interval|1 day|=@ 1 day
    intervalstyle=postgres_verbose|interval|00:00:00|=@ 0
    intervalstyle=postgres_verbose|interval|-1 day +02:03:04|=@ 1 day -2 hours -3 mins -4 secs ago
    intervalstyle=postgres_verbose|interval|1 year 2 mons|=@ 1 year 2 mons
    intervalstyle=postgres_verbose|interval|1 day 02:03:04|=@ 1 day 2 hours 3 mins 4 secs
    intervalstyle=postgres_verbose|interval|-00:00:00.5|=@ 0.5 secs ago
    intervalstyle=postgres_verbose|interval|1 mon -1 days|=@ 1 mon -1 days
    intervalstyle=postgres_verbose|interval|1 sec|=@ 1 sec
    intervalstyle=postgres_verbose|interval|-1 days -02:03:04|=@ 1 day 2 hours 3 mins 4 secs ago
    intervalstyle=postgres_verbose|interval|1 year -2 days 00:00:01|=@ 1 year -2 days 1 sec
    intervalstyle=sql_standard|interval|1 year 2 mons 3 days 04:05:06.789|=+1-2 +3 +4:05:06.789
    intervalstyle=sql_standard|interval|-1 year|=-1-0
    intervalstyle=sql_standard|interval|1 day|=1 0:00:00
    intervalstyle=sql_standard|interval|00:00:00|=0
    intervalstyle=sql_standard|interval|-1 day +02:03:04|=+0-0 -1 +2:03:04
    intervalstyle=sql_standard|interval|1 year 2 mons|=1-2
    intervalstyle=sql_standard|interval|1 day 02:03:04|=1 2:03:04
    intervalstyle=sql_standard|interval|-00:00:00.5|=-0:00:00.5
    intervalstyle=sql_standard|interval|1 mon -1 days|=+0-1 -1 +0:00:00
    intervalstyle=sql_standard|interval|1 sec|=0:00:01
    intervalstyle=sql_standard|interval|-1 days -02:03:04|=-1 2:03:04
    intervalstyle=sql_standard|interval|1 year -2 days 00:00:01|=+1-0 -2 +0:00:01
    intervalstyle=iso_8601|interval|1 year 2 mons 3 days 04:05:06.789|=P1Y2M3DT4H5M6.789S
    intervalstyle=iso_8601|interval|-1 year|=P-1Y
    intervalstyle=iso_8601|interval|1 day|=P1D
    intervalstyle=iso_8601|interval|00:00:00|=PT0S
    intervalstyle=iso_8601|interval|-1 day +02:03:04|=P-1DT2H3M4S
    intervalstyle=iso_8601|interval|1 year 2 mons|=P1Y2M
    intervalstyle=iso_8601|interval|1 day 02:03:04|=P1DT2H3M4S
    intervalstyle=iso_8601|interval|-00:00:00.5|=PT-0.5S
    intervalstyle=iso_8601|interval|1 mon -1 days|=P1M-1D
    intervalstyle=iso_8601|interval|1 sec|=PT1S
    intervalstyle=iso_8601|interval|-1 days -02:03:04|=P-1DT-2H-3M-4S
    intervalstyle=iso_8601|interval|1 year -2 days 00:00:01|=P1Y-2DT1S
    extra_float_digits=0|float8|0.1|=0.1
    extra_float_digits=0|float8|123456789.123456789|=123456789.123457
    extra_float_digits=0|float8|1e15|=1e+15
    extra_float_digits=0|float8|1e14|=100000000000000
    extra_float_digits=0|float8|0.30000000000000004|=0.3
    extra_float_digits=0|float8|1e-5|=1e-05
    extra_float_digits=0|float8|3|=3
    extra_float_digits=0|float4|0.1|=0.1
    extra_float_digits=0|float4|123456.789|=123457
    extra_float_digits=0|float4|3|=3
    extra_float_digits=-3|float8|0.1|=0.1
    extra_float_digits=-3|float8|123456789.123456789|=123456789.123
    extra_float_digits=-3|float8|1e15|=1e+15
    extra_float_digits=-3|float8|1e14|=1e+14
    extra_float_digits=-3|float8|0.30000000000000004|=0.3
    extra_float_digits=-3|float8|1e-5|=1e-05
    extra_float_digits=-3|float8|3|=3
    extra_float_digits=-3|float4|0.1|=0.1
    extra_float_digits=-3|float4|123456.789|=1.23e+05
    extra_float_digits=-3|float4|3|=3
    extra_float_digits=3|float8|0.1|=0.1
    extra_float_digits=3|float8|123456789.123456789|=123456789.12345679
    extra_float_digits=3|float8|1e15|=1e+15
    extra_float_digits=3|float8|1e14|=100000000000000
    extra_float_digits=3|float8|0.30000000000000004|=0.30000000000000004
    extra_float_digits=3|float8|1e-5|=1e-05
    extra_float_digits=3|float8|3|=3
    extra_float_digits=3|float4|0.1|=0.1
    extra_float_digits=3|float4|123456.789|=123456.79
    extra_float_digits=3|float4|3|=3
    bytea_output=escape|bytea|\\x00ff5c6162|=\\000\\377\\\\ab
    |varchar(3)|abc|=abc
    |varchar(3)|abcd|!22001 value too long for type character varying(3)
    |varchar(3)|abc  |=abc
    |varchar(3)|ééé|=ééé
    |varchar(3)|éééé|!22001 value too long for type character varying(3)
    |bpchar(3)|a|=a  
    |bpchar(3)|abcd|!22001 value too long for type character(3)
    |bpchar(3)|ab   |=ab 
    |bpchar(3)|é|=é  
    """#
