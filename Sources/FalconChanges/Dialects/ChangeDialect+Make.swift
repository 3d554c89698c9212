import FalconStorage

extension ChangeDialect {
    /// How the lines of a JSON dialect may differ.
    package struct Options {
        /// Falcon: integers beyond 2^53 and every numeric as strings; wal2json: every number.
        package var numbersAsStrings = false
        package var debezium = DebeziumDialect.Options()

        package init() {}
    }

    /// The dialect of that name; `log` names the database cluster.
    package static func make(
        _ name: DialectName, _ options: Options, log: UID,
        emit: @escaping ([UInt8]) throws(StorageError) -> Void
    ) -> ChangeDialect {
        let strings = options.numbersAsStrings
        switch name {
        case .falcon:
            return FalconDialect(ValueWriter(.falcon, numbersAsStrings: strings), emit: emit)
        case .debezium:
            return DebeziumDialect(
                ValueWriter(.debezium, numbersAsStrings: strings), options.debezium, emit: emit)
        case .wal2json:
            return WAL2JSONDialect(
                ValueWriter(.wal2json, numbersAsStrings: strings), emit: emit)
        case .cloudevents:
            return CloudEventsDialect(
                ValueWriter(.falcon, numbersAsStrings: strings), source: "/falcondb/\(log)",
                emit: emit)
        }
    }
}
