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
            ("bytes", .count(record.body.count)), ("detail", .string(detail(record, summary))),
        ]
    }

    static func line(_ record: WALRecord, _ summary: WALSurvey.Summary) -> String {
        var text = "\(record.lsn)  \(record.tag)"
        if let transaction = summary.transaction { text += "  transaction \(transaction.rawValue)" }
        if let wall = summary.wallMicros { text += "  \(ToolTime.format(wall))" }
        if let operations = summary.operations { text += "  \(operations) operations" }
        let detail = detail(record, summary)
        if !detail.isEmpty { text += "  \(detail)" }
        return text + "  \(record.body.count) bytes"
    }

    /// What only one kind of record has.
    private static func detail(_ record: WALRecord, _ summary: WALSurvey.Summary) -> String {
        switch record.tag {
        case .commit where summary.partCount > 0:
            return "after \(summary.partCount) parts"
                + (summary.isTrimmed ? ", some no longer kept" : "")
        case .batchPart:
            return summary.part.map { "part \($0)" } ?? ""
        case .incarnation:
            guard let found = IncarnationRecord(record.body) else { return "" }
            return "incarnation \(found.incarnation), branch \(found.branch), parent "
                + "\(found.parent), fork \(found.forkLSN), epoch \(found.epoch)"
        case .checkpoint:
            guard let found = CheckpointRecord(record.body) else { return "" }
            return "replay from \(found.replayLSN), \(found.catalog.count) catalog entries"
        case .restorePoint:
            return RestorePointRecord(record.body).map { "name '\($0.name)'" } ?? ""
        case .ingest:
            return IngestRecord(record.body)?.files
                .map { "file \($0.uid) as \(FileNames.tableName($0.number))" }
                .joined(separator: ", ") ?? ""
        default:
            return ""
        }
    }

    // MARK: Operations

    static func fields(
        _ operation: WALOperation, _ ordinal: Int, _ lsn: LSN, _ names: WALNames,
        _ printer: WALDataPrinter
    ) -> [(String, JSONValue)] {
        let sql = WALOperationFilter.statement(operation.sql)
        return [
            ("lsn", .text(lsn)), ("tag", .string("OPERATION")),
            ("ordinal", .count(ordinal)), ("kind", .string(name(operation.kind))),
            ("class", .string(name(operation.operationClass))),
            ("sql", sql.isEmpty ? .null : .string(sql)),
            ("storage", .text(names.storage(of: operation.key))),
            ("key_bytes", .count(operation.key.count)),
            ("value_bytes", .count(operation.value.count)),
            ("before_bytes", operation.before.map { .count($0.count) } ?? .null),
            ("key", printer.key(operation.key, names) ?? .null),
            ("value", printer.value(operation, names) ?? .null),
            ("before", printer.before(operation, names) ?? .null),
        ]
    }

    static func line(
        _ operation: WALOperation, _ names: WALNames, _ printer: WALDataPrinter
    ) -> String {
        let sql = WALOperationFilter.statement(operation.sql)
        var text = "    " + (sql.isEmpty ? name(operation.kind) : sql)
        if !sql.isEmpty, !isUsual(operation) { text += " (\(name(operation.kind)))" }
        if let storage = names.storage(of: operation.key) { text += " \(storage)" }
        if operation.operationClass != .row { text += " [\(name(operation.operationClass))]" }
        func add(_ label: String, _ shown: JSONValue?, _ bytes: Int) {
            text += "  \(label) " + (shown.map(plain) ?? "\(bytes) bytes")
        }
        add("key", printer.key(operation.key, names), operation.key.count)
        switch operation.kind {
        case .delete: break
        case .rangeDelete: add("to", printer.value(operation, names), operation.value.count)
        default: add("value", printer.value(operation, names), operation.value.count)
        }
        if let before = operation.before {
            add("before", printer.before(operation, names), before.count)
        }
        return text
    }

    /// The engine's operation is what the statement suggests.
    private static func isUsual(_ operation: WALOperation) -> Bool {
        switch operation.sql {
        case .none: true
        case .insert, .update: operation.kind == .put
        case .delete: operation.kind == .delete
        case .truncate: operation.kind == .rangeDelete
        }
    }

    private static func plain(_ value: JSONValue) -> String {
        if case .string(let text) = value { return text.isEmpty ? "''" : text }
        return value.encoded
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
}
