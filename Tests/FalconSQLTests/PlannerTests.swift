import FalconSchema
import Testing

@testable import FalconSQL

/// Which access path, join and order the planner chooses, as EXPLAIN shows them.
@Suite struct PlannerTests {
    @Test func pgbenchStatementsArePointOperations() throws {
        let catalog = TestCatalog.pgbench
        let update = "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2"
        #expect(
            try catalog.explain(update) == [
                "Update on pgbench_accounts",
                "  ->  Index Scan using pgbench_accounts_pkey on pgbench_accounts",
                "        Index Cond: (aid = $2)",
            ])
        let plan = try catalog.plan(update)
        #expect(plan.isBounded)
        #expect(plan.parameterTypes.map(\.oid) == [.int4, .int4])
        #expect(plan.relations.first?.lock == .rowExclusive)
        let select = try catalog.plan("SELECT abalance FROM pgbench_accounts WHERE aid = 5")
        #expect(select.isBounded && select.isReadOnly)
        #expect(select.columns.map(\.name) == ["abalance"])
        #expect(select.columns.first?.attribute == 3)
        let insert = try catalog.plan(
            "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) "
                + "VALUES ($1, $2, $3, $4, '2020-01-01 00:00:00')")
        #expect(insert.isBounded)
        #expect(insert.parameterTypes.map(\.oid) == [.int4, .int4, .int4, .int4])
    }

    private var tables: TestCatalog {
        let catalog = TestCatalog()
        catalog.add(
            "t", [("id", .int8), ("a", .int4), ("b", .text), ("c", .int4)], key: ["id"],
            indexes: [("t_a_c", ["a", "c"], false), ("t_b", ["b"], true)], rows: 10_000)
        catalog.add("u", [("id", .int4), ("t_id", .int8), ("v", .text)], key: ["id"], rows: 100)
        return catalog
    }

    @Test func rangesAndPrefixesUseIndexes() throws {
        let catalog = tables
        #expect(
            try catalog.explain("select * from t where a = 1 and c > 5 and c <= 9 and b <> 'x'")
                == [
                    "Index Scan using t_a_c on t",
                    "  Index Cond: ((a = 1) AND (c > 5) AND (c <= 9))",
                    "  Filter: (b <> 'x'::text)",
                ])
        #expect(
            try catalog.explain("select 1 from t where id in (1, 2, 3)").dropFirst(0).first
                == "Index Scan using t_pkey on t")
        #expect(
            try catalog.explain("select 1 from t where id between 1 and 10 and c = 4") == [
                "Index Scan using t_pkey on t", "  Index Cond: ((id >= 1) AND (id <= 10))",
                "  Filter: (c = 4)",
            ])
        #expect(try catalog.explain("select 1 from t where c = 4").first == "Seq Scan on t")
        #expect(
            try catalog.explain("select 1 from t where b = 'x'").first
                == "Index Scan using t_b on t")
    }

    @Test func orderComesFromTheKey() throws {
        let catalog = tables
        #expect(
            try catalog.explain("select id from t order by id desc limit 5") == [
                "Limit", "  ->  Seq Scan Backward on t",
            ])
        #expect(
            try catalog.explain("select id from t where a = 3 order by c limit 1") == [
                "Limit", "  ->  Index Scan using t_a_c on t", "        Index Cond: (a = 3)",
            ])
        #expect(
            try catalog.explain("select c from t order by c") == [
                "Sort", "  Sort Key: c", "  ->  Seq Scan on t",
            ])
    }

    @Test func joinsLookUpOrHash() throws {
        let catalog = tables
        #expect(
            try catalog.explain("select t.b from u join t on t.id = u.t_id where u.id = 7") == [
                "Nested Loop", "  ->  Index Scan using u_pkey on u",
                "        Index Cond: (u.id = 7)", "  ->  Index Scan using t_pkey on t",
                "        Index Cond: (t.id = u.t_id)",
            ])
        let hash = try catalog.explain("select 1 from t x join t y on x.c = y.c")
        #expect(hash.first == "Hash Join" && hash[1] == "  Hash Cond: (x.c = y.c)")
        #expect(
            try catalog.explain(
                "select 1 from t where exists (select 1 from u where u.v = t.b)"
            ).first == "Hash Semi Join")
        #expect(
            try catalog.explain(
                "select 1 from t where not exists (select 1 from u where u.v = t.b)"
            ).first == "Hash Anti Join")
        #expect(
            try catalog.explain("select 1 from u left join t on t.c = u.id").first
                == "Hash Left Join")
        #expect(
            try catalog.explain("select 1 from u left join t on t.c = u.id where t.a = 3").first?
                .contains("Left") == false)
    }

    @Test func groupingAndOrdering() throws {
        let catalog = tables
        #expect(
            try catalog.explain("select distinct a from t order by a") == [
                "Sort", "  Sort Key: a", "  ->  HashAggregate", "        Group Key: a",
                "        ->  Seq Scan on t",
            ])
        #expect(
            try catalog.explain("select 1 where false") == [
                "Result", "  One-Time Filter: false",
            ])
    }
}
