import FalconSchema
import Testing

@testable import FalconSQL

/// What may not stand where, and where the error points: as PostgreSQL 15 answered.
@Suite struct ClauseTests {
    @Test func refusesWhatPostgresRefuses() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("create table base(a int, b int); prepare q2(int) as select $1")
        for line in refusals.split(separator: "\n") {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false)
            let sql = String(parts[0])
            let error = s.failure(sql)
            let position = error?.position.map { String($0) } ?? "-"
            let answer = "\(error?.state.rawValue ?? "")|\(position)|\(error?.message ?? "")"
            #expect(answer == parts[1...].joined(separator: "|"), "\(sql)")
        }
        #expect(try s.query("select count(*) from base") == "0")
    }

    @Test func saysWhereAndWhatElseAsPostgresDoes() throws {
        let database = try TestDatabase()
        defer { database.close() }
        let s = try database.session()
        try s.run("create table base(a int, b int)")
        for line in places.split(separator: "\n") {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false)
            let sql = String(parts[0])
            let error = s.failure(sql)
            let position = error?.position.map { String($0) } ?? "-"
            let answer =
                "\(error?.state.rawValue ?? "")|\(position)|\(error?.message ?? "")|"
                + (error?.hint ?? "")
            #expect(answer == parts[1...].joined(separator: "|"), "\(sql)")
        }
    }
}

/// Statement | SQLSTATE | position | message.
private let refusals = #"""
    create table c1(a int check (a > (select 1)))|0A000|34|cannot use subquery in check constraint
    create table c1(a int check (a > sum(a)))|42803|34|aggregate functions are not allowed in check constraints
    create table c1(a int check (a > generate_series(1,2)))|0A000|34|set-returning functions are not allowed in check constraints
    create table c1(a int check (nosuch > 1))|42703|30|column "nosuch" does not exist
    create table c1(a int, check (exists (select 1)))|0A000|31|cannot use subquery in check constraint
    create table c1(a int check (a in (select 1)))|0A000|32|cannot use subquery in check constraint
    create table c1(a int check (a = any(array(select 1))))|0A000|38|cannot use subquery in check constraint
    create table c1(like base including all)|0A000|-|LIKE INCLUDING ALL is not supported
    create table c1(like base including indexes)|0A000|-|LIKE INCLUDING INDEXES is not supported
    create table c2(a int default (select 1))|0A000|31|cannot use subquery in DEFAULT expression
    create table c2(a int default sum(1))|42803|31|aggregate functions are not allowed in DEFAULT expressions
    create table c2(a int default generate_series(1,2))|0A000|31|set-returning functions are not allowed in DEFAULT expressions
    create table c2(a int, b int default a)|0A000|38|cannot use column reference in DEFAULT expression
    create table c2(a int, b int default a+1)|0A000|38|cannot use column reference in DEFAULT expression
    create table c2(a int default nosuch)|0A000|31|cannot use column reference in DEFAULT expression
    create table c2(a int default c2.a)|0A000|31|cannot use column reference in DEFAULT expression
    create table c2(a int default (1+nosuchf(2)))|42883|34|function nosuchf(integer) does not exist
    create table c2(a int default $1)|42P02|31|there is no parameter $1
    create table c2(a int check (a > $1))|42P02|34|there is no parameter $1
    alter table base add constraint x check (a > (select max(b) from base))|0A000|-|cannot use subquery in check constraint
    alter table base add constraint x check (sum(a) > 1)|42803|-|aggregate functions are not allowed in check constraints
    alter table base add constraint x check (nosuch > 1)|42703|-|column "nosuch" does not exist
    alter table base alter column a set default (select 1)|0A000|-|cannot use subquery in DEFAULT expression
    alter table base alter column a set default b|0A000|-|cannot use column reference in DEFAULT expression
    alter table base alter column a set default sum(2)|42803|-|aggregate functions are not allowed in DEFAULT expressions
    alter table base alter column a set default generate_series(1,2)|0A000|-|set-returning functions are not allowed in DEFAULT expressions
    alter table base alter column a type int using (select 1)|0A000|48|cannot use subquery in transform expression
    alter table base alter column a type int using sum(a)|42803|48|aggregate functions are not allowed in transform expressions
    alter table base alter column a type int using generate_series(1,2)|0A000|48|set-returning functions are not allowed in transform expressions
    select a from base limit a|42P10|26|argument of LIMIT must not contain variables
    select 1 limit sum(1)|42803|16|aggregate functions are not allowed in LIMIT
    select 1 limit generate_series(1,2)|0A000|16|set-returning functions are not allowed in LIMIT
    select 1 offset a|42703|17|column "a" does not exist
    select 1 from base offset b|42P10|27|argument of OFFSET must not contain variables
    select 1 offset sum(1)|42803|17|aggregate functions are not allowed in OFFSET
    select 1 offset generate_series(1,2)|0A000|17|set-returning functions are not allowed in OFFSET
    insert into base values (sum(1), 2)|42803|26|aggregate functions are not allowed in VALUES
    values (sum(1))|42803|9|aggregate functions are not allowed in VALUES
    values (generate_series(1,2))|0A000|9|set-returning functions are not allowed in VALUES
    values (generate_series(1,2)),(3)|0A000|9|set-returning functions are not allowed in VALUES
    values (sum(1)),(2)|42803|9|aggregate functions are not allowed in VALUES
    values (a)|42703|9|column "a" does not exist
    insert into base values (sum(1),1),(3,4)|42803|26|aggregate functions are not allowed in VALUES
    insert into base values (1,1) returning sum(a)|42803|41|aggregate functions are not allowed in RETURNING
    insert into base values (1,1) returning generate_series(1,2)|0A000|41|set-returning functions are not allowed in RETURNING
    update base set a = sum(b)|42803|21|aggregate functions are not allowed in UPDATE
    update base set a = generate_series(1,2)|0A000|21|set-returning functions are not allowed in UPDATE
    update base set a = 1 returning sum(a)|42803|33|aggregate functions are not allowed in RETURNING
    update base set a = 1 where sum(a) > 1|42803|29|aggregate functions are not allowed in WHERE
    update base set a = 1 where generate_series(1,2) > 1|0A000|29|set-returning functions are not allowed in WHERE
    delete from base where sum(a) > 1|42803|24|aggregate functions are not allowed in WHERE
    delete from base where generate_series(1,2) > 1|0A000|24|set-returning functions are not allowed in WHERE
    delete from base returning sum(a)|42803|28|aggregate functions are not allowed in RETURNING
    select a from base where sum(a) > 1|42803|26|aggregate functions are not allowed in WHERE
    select a from base where generate_series(1,2) > 1|0A000|26|set-returning functions are not allowed in WHERE
    select a from base group by sum(a)|42803|29|aggregate functions are not allowed in GROUP BY
    select a from base group by a having generate_series(1,2) > 1|0A000|38|set-returning functions are not allowed in HAVING
    select * from base x join base y on sum(x.a) > 1|42803|37|aggregate functions are not allowed in JOIN conditions
    select * from base x join base y on generate_series(1,2) > 1|0A000|37|set-returning functions are not allowed in JOIN conditions
    select * from generate_series(1, sum(1))|42803|34|aggregate functions are not allowed in functions in FROM
    select * from generate_series(1, generate_series(1,2))|0A000|34|set-returning functions must appear at top level of FROM
    select sum(sum(a)) from base|42803|12|aggregate function calls cannot be nested
    select sum(generate_series(1,2)) from base|0A000|12|aggregate function calls cannot contain set-returning function calls
    select sum(a) filter (where sum(a) > 1) from base|42803|29|aggregate functions are not allowed in FILTER
    select sum(a) filter (where generate_series(1,2) > 1) from base|0A000|29|set-returning functions are not allowed in FILTER
    select case when generate_series(1,2) > 1 then 1 end|42804|18|argument of CASE/WHEN must not return a set
    select coalesce(generate_series(1,2), 1)|0A000|17|set-returning functions are not allowed in COALESCE
    execute q2((select 1))|0A000|12|cannot use subquery in EXECUTE parameter
    execute q2(sum(1))|42803|12|aggregate functions are not allowed in EXECUTE parameters
    execute q2(generate_series(1,2))|0A000|12|set-returning functions are not allowed in EXECUTE parameters
    execute q2(a)|42703|12|column "a" does not exist
    alter table base alter column a set default nosuchf()|42883|-|function nosuchf() does not exist
    alter table base add constraint x check (a > nosuchf())|42883|-|function nosuchf() does not exist
    alter table base add constraint x check (a + 1)|42804|-|argument of CHECK must be type boolean, not type integer
    create table c1(a int default 'x'::date)|22007|31|invalid input syntax for type date: "x"
    create table c1(a int default true)|42804|-|column "a" is of type integer but default expression is of type boolean
    alter table base alter column a set default true|42804|-|column "a" is of type integer but default expression is of type boolean
    create table c1(a int check (a > sum(a) over ()))|42P20|34|window functions are not allowed in check constraints
    alter table base alter column a set default count(*) over ()|42P20|-|window functions are not allowed in DEFAULT expressions
    update base set a = sum(b) over ()|42P20|21|window functions are not allowed in UPDATE
    select a from base where sum(a) over () > 1|42P20|26|window functions are not allowed in WHERE
    insert into base values (1,1) returning sum(a) over ()|42P20|41|window functions are not allowed in RETURNING
    """#

/// Statement | SQLSTATE | position | message | hint.
private let places = #"""
    create table x(a int, primary key(a), primary key(a))|42P16|39|multiple primary keys for table "x" are not allowed|
    create table t2(a int, primary key(b))|42703|24|column "b" named in key does not exist|
    create table x(a int, primary key(a), unique(a,a))|42701|39|column "a" appears twice in unique constraint|
    select 1 union select 1,2|42601|23|each UNION query must have the same number of columns|
    select distinct on (x, y) 1 from (select 1 x, 2 y, 3 z) q order by x,z,y|42P10|24|SELECT DISTINCT ON expressions must match initial ORDER BY expressions|
    truncate nosuch|42P01|-|relation "nosuch" does not exist|
    vacuum nosuch|42P01|-|relation "nosuch" does not exist|
    alter table nosuch add column a int|42P01|-|relation "nosuch" does not exist|
    copy nosuch to stdout|42P01|-|relation "nosuch" does not exist|
    select * from generate_series(1,3) as t(a,b)|42P10|-|table "t" has 1 columns available but 2 columns specified|
    create index on base(nosuch)|42703|-|column "nosuch" does not exist|
    alter table base add primary key (nosuch)|42703|-|column "nosuch" of relation "base" does not exist|
    select 'a' like 'a' escape 'xx'|22025|-|invalid escape string|Escape string must be empty or one character.
    update base t set t.a=10|42703|19|column "t" of relation "base" does not exist|
    select 100_000 + 1|42601|8|trailing junk after numeric literal at or near "100_000"|
    select 0x10|42601|8|trailing junk after numeric literal at or near "0x10"|
    update base set a = b=1|42804|21|column "a" is of type integer but expression is of type boolean|You will need to rewrite or cast the expression.
    alter table base add column c int default (select 1)|0A000|-|cannot use subquery in DEFAULT expression|
    alter table base add column c int check (c > (select 1))|0A000|-|cannot use subquery in check constraint|
    create table c1(a int check (a + 1))|42804|30|argument of CHECK must be type boolean, not type integer|
    select * from (select 1)|42601|15|subquery in FROM must have an alias|For example, FROM (SELECT ...) [AS] foo.
    set statement_timeout = '5 foo'|22023|-|invalid value for parameter "statement_timeout": "5 foo"|Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".
    select * from base, (select base.a) x|42P01|29|invalid reference to FROM-clause entry for table "base"|There is an entry for table "base", but it cannot be referenced from this part of the query.
    select - true|42883|8|operator does not exist: - boolean|No operator matches the given name and argument type. You might need to add an explicit type cast.
    """#
