import FalconStorage

/// Records, operations and segments as wal-inspect shows them.
enum WALRecordText {
    static func fields(
        _ record: WALRecord, _ summary: WALSurvey.Summary, segment: WALSegmentNumber?
    ) -> [(String, JSONValue)] {
        [
            ("lsn", .text(record.lsn)), ("end", .text(record.end)), ("segment", .text(segment)),
            ("tag", .text(record.tag)),
            ("transaction", summary.transaction.map { .unsigned($0.rawValue) } ?? .null),
            ("timestamp", .text(summary.timestamp)),
            ("commit_time", .text(summary.wallMicros.map { ToolTime.format($0) })),
            ("database", summary.database.map { .unsigned(UInt64($0.rawValue)) } ?? .null),
            ("operations", summary.operations.map { .count($0) } ?? .null),
            ("bytes", .count(record.body.count)), ("detail", .string(summary.detail)),
        ]
    }

    static func line(_ record: WALRecord, _ summary: WALSurvey.Summary) -> String {
        var text = "\(record.lsn)  \(record.tag)"
        if let transaction = summary.transaction { text += "  transaction \(transaction.rawValue)" }
        if let wall = summary.wallMicros { text += "  \(ToolTime.format(wall))" }
        if let operations = summary.operations { text += "  \(operations) operations" }
        if !summary.detail.isEmpty { text += "  \(summary.detail)" }
        return text + "  \(record.body.count) bytes"
    }

    static func fields(
        _ operation: WALOperation, _ ordinal: Int, _ record: WALRecord
    ) -> [(String, JSONValue)] {
        [
            ("lsn", .text(record.lsn)), ("tag", .string("OPERATION")),
            ("ordinal", .count(ordinal)), ("kind", .string(name(operation.kind))),
            ("class", .string(name(operation.operationClass))),
            ("key", .string(hex(operation.key))), ("value", .string(hex(operation.value))),
            ("before", operation.before.map { .string(hex($0)) } ?? .null),
        ]
    }

    static func line(_ operation: WALOperation) -> String {
        "    \(name(operation.kind)) \(name(operation.operationClass)) \(hex(operation.key)) = "
            + hex(operation.value)
    }

    static func fields(_ segment: WALReader.SegmentSummary) -> [(String, JSONValue)] {
        let header = segment.header
        return [
            ("number", .text(segment.number)), ("file", .string(segment.path)),
            ("file_bytes", .unsigned(segment.fileBytes)),
            ("used_bytes", .unsigned(segment.usedBytes)),
            ("vouched_bytes", .unsigned(segment.vouchedBytes)),
            ("first_lsn", .text(header?.firstLSN)),
            ("last_lsn", .text(segment.lastLSN)), ("chunks", .count(segment.chunkCount)),
            ("watermarks", .count(segment.watermarkCount)), ("sealed", .bool(segment.isSealed)),
            ("recycled", header.map { .bool($0.isRecycled) } ?? .null),
            ("incarnation", header.map { .unsigned($0.identity.incarnation) } ?? .null),
            ("epoch", header.map { .unsigned($0.identity.epoch) } ?? .null),
            ("branch", .text(header?.identity.branch)), ("uid", .text(header?.uid)),
            ("key_id", header.map { .unsigned($0.keyID) } ?? .null),
            ("opened_at", .text(header.map { ToolTime.format($0.wallMicros) })),
        ]
    }

    static func line(_ segment: WALReader.SegmentSummary) -> String {
        var state = segment.isSealed ? "sealed" : "open"
        if segment.header == nil { state = "no header" }
        if segment.header?.isRecycled == true { state += ", recycled" }
        if let incarnation = segment.header?.identity.incarnation {
            state += ", incarnation \(incarnation)"
        }
        return "\(segment.number)  \(pad(segment.header?.firstLSN.description ?? "?", 11))  "
            + "\(pad(segment.lastLSN.description, 11))  \(pad(String(segment.fileBytes), 10, left: true))"
            + "  \(pad(String(segment.usedBytes), 9, left: true))  \(state)"
    }

    static func name(_ kind: OperationKind) -> String {
        switch kind {
        case .put: "put"
        case .delete: "delete"
        case .rangeDelete: "range-delete"
        case .valueReference: "value-reference"
        case .intent: "intent"
        case .merge: "merge"
        }
    }

    static func name(_ operationClass: OperationClass) -> String {
        switch operationClass {
        case .row: "row"
        case .index: "index"
        case .catalog: "catalog"
        case .system: "system"
        }
    }

    static func hex(_ bytes: UnsafeRawBufferPointer) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let fill = String(repeating: " ", count: max(0, width - text.count))
        return left ? fill + text : text + fill
    }
}
