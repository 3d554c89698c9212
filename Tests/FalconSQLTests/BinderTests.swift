import FalconSchema
import Testing

@testable import FalconSQL

/// Names, types, inferred parameters and PostgreSQL's errors.
@Suite struct BinderTests {
    private var catalog: TestCatalog {
        let catalog = TestCatalog()
        catalog.add(
            "t",
            [
                ("id", .int4), ("s", .int2), ("big", .int8), ("name", .text),
                ("v", SQLType(.varchar, modifier: 7)), ("n", .numeric), ("ok", .bool),
                ("d", .date),
            ], key: ["id"], defaults: ["s": "7"])
        catalog.add("u", [("id", .int4), ("x", .int4)], key: ["id"])
        return catalog
    }

    @Test func parametersTakeTheirTypeFromContext() throws {
        let catalog = catalog
        func types(_ sql: String, _ given: [OID] = []) throws -> [OID] {
            try catalog.plan(sql, given).parameterTypes.map(\.oid)
        }
        #expect(
            try types("select * from t where id = $1 and name = $2 and ok = $3")
                == [.int4, .text, .bool])
        #expect(
            try types("update t set big = big + $1, v = $2 where id in ($3, $4)")
                == [.int8, .varchar, .int4, .int4])
        #expect(
            try types("insert into t (id, d, n) values ($1, $2, $3)")
                == [.int4, .date, .numeric])
        #expect(try types("select $1") == [.text])
        #expect(try types("select $1::int8 + 1") == [.int8])
        #expect(try types("select 1 from t where id = $1", [.int8]) == [.int8])
        #expect(try types("select 1 limit $1 offset $2") == [.int8, .int8])
        #expect(try types("select * from t where id = any($1)") == [.int4Array])
        #expect(try types("select case when $1 then 1 else $2 end") == [.bool, .int4])
    }

    @Test func resultColumnsCarryNamesAndTypes() throws {
        let plan = try catalog.plan(
            "select t.id, s + 1, t.id as \"X\", 'a', 1::int8, null, v, u.* from t, u")
        #expect(
            plan.columns.map(\.name)
                == ["id", "?column?", "X", "?column?", "int8", "?column?", "v", "id", "x"])
        #expect(
            plan.columns.map(\.type.oid)
                == [.int4, .int4, .int4, .text, .int8, .text, .varchar, .int4, .int4])
        #expect(plan.columns[6].type.modifier == 7)
        #expect(plan.columns[0].attribute == 1 && plan.columns[1].attribute == 0)
    }

    @Test func errorsAreThoseOfPostgres() {
        let catalog = catalog
        func check(
            _ sql: String, _ state: SQLState, _ message: String, at offset: Int? = nil,
            _ location: SourceLocation = #_sourceLocation
        ) {
            let error = catalog.failure(sql)
            #expect(error?.state == state, sourceLocation: location)
            #expect(error?.message == message, sourceLocation: location)
            if let offset { #expect(error?.byteOffset == offset, sourceLocation: location) }
        }
        check("select nope from t", .undefinedColumn, "column \"nope\" does not exist", at: 7)
        check(
            "select ctid from t", .featureNotSupported,
            "system column \"ctid\" is not supported", at: 7)
        check(
            "update t set id = 1 where t.xmin is null", .featureNotSupported,
            "system column \"xmin\" is not supported")
        check(
            "select xmin from (select id from t) q", .undefinedColumn,
            "column \"xmin\" does not exist")
        check("select id from t, u", .ambiguousColumn, "column reference \"id\" is ambiguous")
        check("select * from nope", .undefinedTable, "relation \"nope\" does not exist", at: 14)
        check("select x.id from t", .undefinedTable, "missing FROM-clause entry for table \"x\"")
        check("select 1 from t, t", .duplicateAlias, "table name \"t\" specified more than once")
        check(
            "select id from t where id", .datatypeMismatch,
            "argument of WHERE must be type boolean, not type integer", at: 23)
        check(
            "select * from t where id = 'abc'", .invalidTextRepresentation,
            "invalid input syntax for type integer: \"abc\"", at: 27)
        check(
            "insert into t (id, ok) values (1, 5)", .datatypeMismatch,
            "column \"ok\" is of type boolean but expression is of type integer", at: 34)
        check(
            "insert into t (id, nope) values (1, 2)", .undefinedColumn,
            "column \"nope\" of relation \"t\" does not exist", at: 19)
        check(
            "insert into t (id) values (1, 2)", .syntaxError,
            "INSERT has more expressions than target columns", at: 30)
        check(
            "select id from t order by 3", .invalidColumnReference,
            "ORDER BY position 3 is not in select list", at: 26)
        check(
            "select ok + 1 from t", .undefinedFunction,
            "operator does not exist: boolean + integer")
        check(
            "select (select id, s from t)", .syntaxError,
            "subquery must return only one column")
        check(
            "select 1 union select 1, 2", .syntaxError,
            "each UNION query must have the same number of columns")
        check(
            "select name, id from t group by name", .groupingError,
            "column \"t.id\" must appear in the GROUP BY clause or be used in an aggregate function",
            at: 13)
        check(
            "select distinct id from t order by name", .invalidColumnReference,
            "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
        check(
            "update t set id = 1, id = 2", .syntaxError,
            "multiple assignments to same column \"id\"")
        check(
            "select cast(ok as date) from t", .cannotCoerce,
            "cannot cast type boolean to date")
        check(
            "select $1 is null, $3", .indeterminateDatatype,
            "could not determine data type of parameter $1")
        check(
            "select $1::int is null, $3", .indeterminateDatatype,
            "could not determine data type of parameter $2")
    }

    @Test func groupingByThePrimaryKeyDeterminesTheRow() throws {
        _ = try catalog.plan("select id, name, v from t group by id")
        _ = try catalog.plan("select name, name || 'x' from t group by 1, name || 'x'")
    }

    @Test func scopesNest() throws {
        let catalog = catalog
        _ = try catalog.plan(
            "select (select x from u where u.id = t.id) from t "
                + "where exists (select 1 from u where x = t.id and u.id in (select s from t))")
        _ = try catalog.plan("with a as (select id as k from t) select k from a join a b using (k)")
        _ = try catalog.plan("select * from (select id, s from t) q (k), lateral (select k + 1) l")
        _ = try catalog.plan("select * from t natural join u full join u w using (id)")
        _ = try catalog.plan("values (1, 'a'), (2, null) order by 1 limit 1")
        _ = try catalog.plan("select 1 union all select null union select 2.5 order by 1")
        _ = try catalog.plan(
            "insert into u values (1, 2) on conflict (id) do update set x = excluded.x + u.x "
                + "returning *, x + 1 as y")
        _ = try catalog.plan("update t set (id, s) = (select 1, 2), name = u.x::text from u")
        _ = try catalog.plan("delete from t using u where t.id = u.id returning t.*, u.x")
        _ = try catalog.plan("select * from t where (id, s) < (1, 2) and (id, s) in (select 1, 2)")
    }

    /// Each construct in its own recursion; the answer may be a plan or 54001, never a crash.
    @Test func deepStatementsAreBoundOrRefused() {
        func nested(_ open: String, _ close: String, _ count: Int) -> String {
            "select " + String(repeating: open, count: count) + "1"
                + String(repeating: close, count: count)
        }
        for count in [100, 300, 390] {
            for (open, close) in [
                ("coalesce(null, ", ")"), ("case when true then ", " end"), ("array[", "]"),
                ("(1 + ", ")"), ("(select ", ")"), ("abs(", ")"), ("nullif(2, ", ")"),
                ("1 in (", ")::int"), ("(", "::int8)"),
            ] {
                let error = catalog.failure(nested(open, close, count))
                if let error { #expect(error.state == .statementTooComplex, "\(open) \(error)") }
            }
        }
    }
}
