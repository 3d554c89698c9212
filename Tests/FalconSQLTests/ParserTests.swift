import FalconSchema
import Testing

@testable import FalconSQL

/// The parser's trees, errors, positions and limits.
@Suite struct ParserTests {
    private func one(_ sql: String) throws -> AST.Statement {
        let statements = try SQLParser.parse(sql)
        #expect(statements.count == 1)
        return try #require(statements.first).statement
    }

    @Test func splitsStatementsWithTheirText() throws {
        let sql = "select 1; ; update t set a = 2 ;\n-- end\n"
        let statements = try SQLParser.parse(sql)
        #expect(statements.count == 2)
        let bytes = Array(sql.utf8)
        let texts = statements.map {
            String(decoding: bytes[$0.textOffset..<$0.textOffset + $0.textLength], as: UTF8.self)
        }
        #expect(texts[0] == "select 1")
        #expect(texts[1].contains("update t set a = 2"))
        #expect(try SQLParser.parse(" ;; -- nothing").isEmpty)
    }

    @Test func syntaxErrorsCarryPostgresMessageAndPosition() {
        func failure(_ sql: String) -> SQLError? {
            do {
                _ = try SQLParser.parse(sql)
                return nil
            } catch { return error }
        }
        let first = failure("selec 1")
        #expect(first?.state == .syntaxError)
        #expect(first?.message == "syntax error at or near \"selec\"")
        #expect(first?.position == 1)
        let second = failure("select 'é', from t")
        #expect(second?.message == "syntax error at or near \"from\"")
        #expect(second?.position == 13)
        #expect(failure("select 1 +")?.message == "syntax error at end of input")
    }

    @Test func readsExpressions() throws {
        guard case .select(let select) = try one("select a.b, -1, 'it''s \\ \"q\" \u{1}é', 1.5e3"),
            case .core(let core) = select.body
        else { throw SQLError(.internalError, "not a select") }
        guard case .column(let column) = core.items[0].expression else { return }
        #expect(column.parts == ["a", "b"] && column.location == 7)
        guard case .constant(.string(let text), _) = core.items[2].expression else {
            Issue.record("no string")
            return
        }
        #expect(text == "it's \\ \"q\" \u{1}é")
        guard case .constant(.number("1.5e3"), _) = core.items[3].expression else {
            Issue.record("no number")
            return
        }
    }

    /// libpg_query prints a negative integer as it prints zero.
    @Test func negativeIntegersKeepTheirValue() throws {
        guard
            case .select(let select) = try one(
                "select -5, - - -6, -(7), 0, - /* x */ 8, -0, -2147483648, -- c\n -9"),
            case .core(let core) = select.body
        else { throw SQLError(.internalError, "not a select") }
        let values = core.items.map { item -> String in
            switch item.expression {
            case .constant(.integer(let value), _): return String(value)
            case .constant(.number(let text), _): return text
            default: return "?"
            }
        }
        #expect(values == ["-5", "-6", "-7", "0", "-8", "0", "-2147483648", "-9"])
        guard case .createSequence(let sequence) = try one("create sequence s increment by -2")
        else {
            Issue.record("no sequence")
            return
        }
        #expect(sequence.options.first?.stringValue == "-2")
    }

    @Test func readsDefinitions() throws {
        guard
            case .createTable(let table) = try one(
                "create table s.t(id int primary key, v varchar(10) default 'x' not null, "
                    + "check (id > 0)) with (fillfactor=100)")
        else {
            Issue.record("no CREATE TABLE")
            return
        }
        #expect(table.table.schema == "s" && table.elements.count == 3)
        #expect(table.options.first?.name == "fillfactor")
        guard case .drop(let drop) = try one("drop table if exists a, s.b cascade") else {
            Issue.record("no DROP")
            return
        }
        #expect(drop.names.map(\.text) == ["a", "s.b"] && drop.ifExists && drop.isCascade)
        guard
            case .unsupported("CREATE FUNCTION") = try one(
                "create function f() returns int language sql as 'select 1'")
        else {
            Issue.record("CREATE FUNCTION")
            return
        }
    }

    @Test func everyStatementOfTheScopeParses() throws {
        for sql in [
            "begin isolation level serializable read only", "commit", "end", "rollback to x",
            "set local timezone = 'utc'", "reset all", "show all", "set transaction read only",
            "prepare p(int) as select $1", "execute p(1)", "deallocate all",
            "copy t (a) from stdin with (format csv, header)", "explain (costs off) select 1",
            "vacuum analyze t", "analyze", "checkpoint", "discard all",
            "declare c scroll cursor for select 1", "fetch all from c", "close c",
            "lock table a, b in share mode nowait", "create schema if not exists s",
            "comment on table t is 'x'", "create view v as select 1",
            "create sequence s start 5", "alter table t add primary key (a), drop column b",
            "alter table t rename column a to b", "alter table t rename to u",
            "truncate a, b", "create unique index i on t (a desc nulls last, lower(b))",
            "create table t as select 1", "listen x", "notify x, 'y'", "unlisten *",
        ] {
            if case .unsupported(let what) = try one(sql) { Issue.record("\(sql): \(what)") }
        }
    }

    @Test func nestingIsBoundedNotFatal() throws {
        func nested(_ depth: Int) -> String {
            "select " + String(repeating: "(1+", count: depth) + "1"
                + String(repeating: ")", count: depth)
        }
        _ = try SQLParser.parse(nested(2000))
        for text in [
            nested(20_000), nested(50_000),
            "select " + String(repeating: "1+", count: 40_000) + "1",
            "select " + String(repeating: "not ", count: 30_000) + "true",
            "select " + String(repeating: "case when true then ", count: 5000),
        ] {
            do {
                _ = try SQLParser.parse(text)
                Issue.record("parsed \(text.utf8.count) bytes")
            } catch {
                #expect(error.state == .statementTooComplex || error.state == .syntaxError)
            }
        }
    }

    @Test func longFlatStatementsParse() throws {
        let rows = (0..<20_000).map { "(\($0), -\($0), 'x')" }.joined(separator: ",")
        guard case .insert(let insert) = try one("insert into t values " + rows),
            case .values(let values)? = insert.source?.body
        else {
            Issue.record("no INSERT")
            return
        }
        #expect(values.count == 20_000)
        let conditions = (0..<2000).map { "a = \($0)" }.joined(separator: " or ")
        _ = try one("select 1 from t where " + conditions)
    }
}
