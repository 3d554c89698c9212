import CLibPQ
import FalconToolKit

/// What libpq's results say.
extension LibPQServer {
    static func rows(
        _ result: OpaquePointer, _ handle: OpaquePointer
    ) throws(ControlFailure) -> ControlRows {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
        default: throw failure(result, handle)
        }
        let count = PQnfields(result)
        let columns = (0..<count).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        let rows = (0..<PQntuples(result)).map { row in
            (0..<count).map { column in value(result, row, column) }
        }
        return ControlRows(columns: columns, rows: rows)
    }

    private static func value(
        _ result: OpaquePointer, _ row: Int32, _ column: Int32
    ) -> String? {
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column)
        else { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: start, count: Int(PQgetlength(result, row, column)))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Why a statement failed.
    private static func failure(
        _ result: OpaquePointer, _ handle: OpaquePointer
    ) -> ControlFailure {
        // libpq.h has these letters as macros: PG_DIAG_SQLSTATE and so on.
        guard let state = field(result, "C") else { return lost(handle) }
        return ControlFailure(
            statement: ControlRefusal(
                sqlState: state, message: field(result, "M") ?? "", detail: field(result, "D"),
                hint: field(result, "H")))
    }

    private static func field(_ result: OpaquePointer, _ letter: UnicodeScalar) -> String? {
        PQresultErrorField(result, Int32(letter.value)).map { String(cString: $0) }
    }

    /// Why there is no connection.
    static func failure(_ handle: OpaquePointer) -> ControlFailure {
        ControlFailure(
            connection: message(handle), needsPassword: PQconnectionNeedsPassword(handle) == 1)
    }

    static func lost(_ handle: OpaquePointer) -> ControlFailure {
        let text = message(handle).split(whereSeparator: \.isNewline).joined(separator: " ")
        return .lost(text.isEmpty ? "The connection ended." : text)
    }

    private static func message(_ handle: OpaquePointer) -> String {
        PQerrorMessage(handle).map { String(cString: $0) } ?? ""
    }
}
