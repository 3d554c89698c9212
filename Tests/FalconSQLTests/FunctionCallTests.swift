import FalconSchema
import Testing

@testable import FalconSQL

/// Calls by OID, as PostgreSQL 15 answers them.
struct FunctionCallTests {
    private let s: TestSession

    init() throws {
        s = try TestDatabase(durability: .synced).session()
        try s.run("CREATE SEQUENCE q")
    }

    private func parameters(_ arguments: [String?]) -> [WireParameter] {
        arguments.map { WireParameter(bytes: $0.map { Array($0.utf8) }, format: 0) }
    }

    private func call(_ oid: UInt32, _ arguments: String?...) throws -> String {
        s.sink.answers = []
        s.sink.current = Answer()
        _ = try s.settle(s.session.callFunction(OID(oid), parameters(arguments), s.sink))
        return s.sink.answers.last?.text ?? ""
    }

    private func refusal(_ oid: UInt32, _ arguments: String?...) -> String {
        let error = s.failure(s.session.callFunction(OID(oid), parameters(arguments), s.sink))
        return "\(error?.state.rawValue ?? "") \(error?.message ?? "")\(error?.context ?? "")"
    }

    @Test func functionsAreCalled() throws {
        #expect(try call(177, "3", "4") == "7")
        #expect(try call(177, "3", nil) == "" && s.sink.answers.last?.rows == [[nil]])
        #expect(try call(870, "ABC") == "abc")
        #expect(try call(1574, "q") == "1" && call(1574, "q") == "2")
        let binary = [3, 4].map { (value: Int32) in
            WireParameter(
                bytes: withUnsafeBytes(of: value.bigEndian) { Array($0) }, format: 1)
        }
        s.sink.answers = []
        _ = try s.settle(s.session.callFunction(177, binary, s.sink))
        #expect(s.sink.answers.last?.text == "7")
    }

    @Test func refusalsAreAsInPostgreSQL() throws {
        #expect(refusal(999_999) == "42883 function with OID 999999 does not exist")
        #expect(
            refusal(177, "3")
                == "08P01 function call message contains 1 arguments but function requires 2")
        #expect(refusal(177, "x", "4") == "22P02 invalid input syntax for type integer: \"x\"")
        #expect(refusal(154, "1", "0") == "22012 division by zero")
        #expect(
            refusal(1067, "1", "3")
                == "0A000 cannot call function \"generate_series\" via fastpath interface")
        #expect(
            refusal(2108, "1") == "0A000 cannot call function \"sum\" via fastpath interface")
        #expect(refusal(2092, "1", "2") == "0A000 cannot accept a value of type anyarray")
        try s.run("BEGIN")
        #expect(try call(177, "1", "2") == "3")
        #expect(refusal(154, "1", "0").hasPrefix("22012"))
        #expect(refusal(177, "1", "2").hasPrefix("25P02"))
        try s.run("ROLLBACK")
    }
}
