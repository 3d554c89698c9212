import FalconSchema
import Testing

@testable import FalconSQL

/// Values of expressions: three-valued logic, overflow, conditionals, arrays.
@Suite struct EvaluatorTests {
    /// The value of an expression without columns, as text; nil for NULL.
    private func value(_ expression: String, _ parameters: [Datum] = []) throws(SQLError) -> String?
    {
        let plan = try TestCatalog().plan("select " + expression)
        let row = RowContext(
            slotCount: plan.slotCount, parameters: parameters, functions: TestCatalog.context)
        guard case .project(let project) = plan.root.operation,
            let first = project.expressions.first
        else { throw SQLError(.internalError, "not a projection") }
        let datum = try first.evaluate(row)
        if datum.isNull { return nil }
        return TypeIO.text(datum, type: first.type.oid, settings: DisplaySettings())
    }

    private func state(_ expression: String) -> SQLState? {
        do throws(SQLError) {
            _ = try value(expression)
            return nil
        } catch { return error.state }
    }

    @Test func threeValuedLogic() throws {
        #expect(try value("null and false") == "f")
        #expect(try value("null and true") == nil)
        #expect(try value("null or true") == "t")
        #expect(try value("not null::bool") == nil)
        #expect(try value("null::int = 1") == nil)
        #expect(try value("1 in (2, null)") == nil)
        #expect(try value("1 in (1, null)") == "t")
        #expect(try value("1 not in (2, null)") == nil)
        #expect(try value("1 = any(array[2, null])") == nil)
        #expect(try value("1 <> all(array[]::int[])") == "t")
        #expect(try value("null is distinct from 1") == "t")
        #expect(try value("null is not distinct from null::int") == "t")
        #expect(try value("(null::bool) is unknown") == "t")
        #expect(try value("2 between 1 and null") == nil)
        #expect(try value("0 between 1 and null") == "f")
        #expect(try value("(1, 2) < (1, 3)") == "t")
        #expect(try value("(1, null) = (2, 3)") == "f")
    }

    @Test func arithmeticChecksItsRange() throws {
        #expect(try value("2147483646 + 1") == "2147483647")
        #expect(state("2147483647 + 1") == .numericValueOutOfRange)
        #expect(state("32767::int2 + 1::int2") == .numericValueOutOfRange)
        #expect(try value("32767::int2 + 1") == "32768")
        #expect(state("9223372036854775807 + 1") == .numericValueOutOfRange)
        #expect(state("-(-9223372036854775808)::int8") == .numericValueOutOfRange)
        #expect(state("1 / 0") == .divisionByZero)
        #expect(state("(-2147483648)::int4 / -1") == .numericValueOutOfRange)
        #expect(try value("(-2147483648)::int4 % -1") == "0")
        #expect(try value("-7 / 2") == "-3")
        #expect(try value("-7 % 3") == "-1")
        #expect(state("70000::int2") == .numericValueOutOfRange)
        #expect(try value("$1 + 1", [.int(41)]) == "42")
    }

    @Test func conditionals() throws {
        #expect(try value("coalesce(null, 2, 3)") == "2")
        #expect(try value("nullif(1, 1)") == nil)
        #expect(try value("nullif(1, 2)") == "1")
        #expect(try value("greatest(1, null, 3)") == "3")
        #expect(try value("case 2 when 1 then 'a' when 2 then 'b' end") == "b")
        #expect(try value("case when null then 1 end") == nil)
        #expect(try value("case when true then 1 else 1/0 end") == "1")
    }

    @Test func castsAndArrays() throws {
        #expect(try value("'12'::int + 1") == "13")
        #expect(try value("'abcdef'::varchar(3)") == "abc")
        #expect(try value("(array[10, 20, 30])[2]") == "20")
        #expect(try value("(array[10, 20, 30])[7]") == nil)
        #expect(try value("(array[10, 20, 30])[2:3]") == "{20,30}")
        #expect(try value("array[[1, 2], [3, 4]]") == "{{1,2},{3,4}}")
    }
}
