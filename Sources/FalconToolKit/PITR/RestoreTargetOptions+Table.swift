import FalconStorage

/// `--before-first-operation-on`: the target that the first operation on a table gives.
extension RestoreTargetOptions {
    /// A target that was looked for, and what is said of where it is.
    struct TableTarget {
        var target: RestoreTarget
        var line: String
        var json: JSONValue
    }

    /// What to look for; nil: the target is none by a table.
    func tableSearch(_ context: ToolContext) -> TableOperationSearch? {
        beforeFirstOperationOn.map { table in
            TableOperationSearch(
                table: table, operation: tableOperation, since: since,
                progress: { () throws(StorageError) in try RestoreRun.stopIfInterrupted(context) })
        }
    }

    /// The target before the place that was found; throws where there is none.
    func tableTarget(
        _ outcome: TableOperationSearch.Outcome, in path: String
    ) throws(StorageError) -> TableTarget {
        guard let place = outcome.place else {
            throw StorageError(
                .targetUnreachable, kind: .user,
                "The log holds no \(tableOperation?.rawValue ?? "operation") on "
                    + "'\(beforeFirstOperationOn ?? "")'\(sinceText).",
                cause: outcome.problem.map { "the schema was not wholly readable: \($0.message)" },
                location: .init(path: path),
                hint:
                    "It may be older than the log, of another branch, or the table have had another name then."
            )
        }
        let who = place.transaction == 0 ? "an ingestion" : "transaction \(place.transaction)"
        return TableTarget(
            target: .lsn(place.lsn),
            line: "\(place.operation.rawValue) on \(place.table) by \(who) at \(place.lsn), "
                + ToolTime.format(place.micros),
            json: .object([
                ("table", .string(place.table)), ("operation", .string(place.operation.rawValue)),
                ("txid", place.transaction == 0 ? .null : .unsigned(place.transaction)),
                ("lsn", .text(place.lsn)), ("time", .string(ToolTime.format(place.micros))),
            ]))
    }

    private var sinceText: String {
        switch since {
        case nil: ""
        case .lsn(let lsn): " since LSN \(lsn)"
        case .time(let micros): " since \(ToolTime.format(micros))"
        }
    }
}
