import FalconSQL
import FalconSchema
import FalconStorage
import Testing

@testable import FalconServer

@Suite struct OutputBufferTests {
    @Test func decimals() {
        for value in [0, 1, -1, 9, 10, 99, 100, 12_345, .max, .min, -1_000_000_000_000] as [Int64] {
            var out = OutputBuffer()
            out.appendColumn(decimal: value)
            let digits = Array(String(value).utf8)
            #expect(Array(out.bytes) == Bytes.int32(digits.count) + digits)
        }
    }

    @Test func growthKeepsWhatWasWritten() {
        var out = OutputBuffer()
        var expected: [UInt8] = []
        for n in 0..<20_000 {
            out.append(integer: UInt32(n))
            expected += Bytes.int32(n)
        }
        #expect(Array(out.bytes) == expected)
        out.removeAll()
        #expect(out.bytes.isEmpty)
    }

    @Test func errorFieldsInOrder() {
        var error = SQLError(
            .uniqueViolation, "dup", detail: "d", hint: "h", byteOffset: 4)
        error.context = "w"
        error.schema = "s"
        error.table = "t"
        error.column = "c"
        error.dataType = "y"
        error.constraint = "n"
        var out = OutputBuffer()
        // Two bytes of "ä" are one character.
        out.appendError(error, sql: "ä ab")
        let expected =
            [
                "SERROR", "VERROR", "C23505", "Mdup", "Dd", "Hh", "P4", "Ww", "ss", "tt", "cc",
                "dy",
                "nn",
            ].flatMap(Bytes.cstring) + [0]
        #expect(Array(out.bytes) == Bytes.message("E", expected))
    }

    @Test func binaryIntegersHaveTheirTypesWidth() throws {
        let columns = [OID.int2, .int4, .int8].map { ResultColumn(name: "x", type: SQLType($0)) }
        var out = OutputBuffer()
        var scratch = ByteWriter()
        try out.appendDataRow(
            [.int(-2), .int(-2), .int(-2)], columns, formats: [1], scratch: &scratch
        ) { DisplaySettings() }
        let reply = Reply(tag: "D", body: Array(out.bytes.dropFirst(5)))
        #expect(
            reply.columns == [
                [255, 254], [255, 255, 255, 254], [UInt8](repeating: 255, count: 7) + [254],
            ])
    }

    /// As in PostgreSQL, which counts the message without its type and length.
    @Test func aRowLargerThanAMessageMayBeIsRefused() throws {
        let text = String(repeating: "a", count: 400_000_000)
        let columns = [ResultColumn](
            repeating: ResultColumn(name: "x", type: SQLType(.text)), count: 3)
        var out = OutputBuffer()
        out.appendCommandComplete("before")
        let before = out.count
        var scratch = ByteWriter()
        let row = [Datum](repeating: .text(text), count: 3)
        var refused: SQLError?
        do throws(SQLError) {
            try out.appendDataRow(row, columns, formats: [], scratch: &scratch) {
                DisplaySettings()
            }
        } catch { refused = error }
        #expect(refused?.state.rawValue == "54000")
        #expect(
            refused?.detail
                == "Cannot enlarge string buffer containing 800000014 bytes by 400000000 more bytes."
        )
        #expect(out.count == before)
    }
}
