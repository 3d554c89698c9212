import FalconChanges
import FalconSchema
import FalconStorage

/// What one commit or ingestion changed, table by table.
struct CommitContents {
    /// What is counted, in the order in which it is shown.
    enum Kind: String, CaseIterable {
        case insert, update, delete, truncate
        /// The table was made, or its definition changed.
        case define
        case drop
        /// What no statement asked for: rewrites, rows of ingested files.
        case other

        init(_ operation: TableOperation) {
            switch operation {
            case .insert: self = .insert
            case .update: self = .update
            case .delete: self = .delete
            case .truncate: self = .truncate
            case .drop: self = .drop
            }
        }
    }

    /// Rows of one table, or of other storage.
    struct Table {
        /// `schema.table`, or `storage DATABASE/NUMBER` where no schema that can be read names it.
        var name: String
        /// Nil where the storage is no database's that is known.
        var database: String?
        var counts: [Kind: Int] = [:]
    }

    /// What is shown at most; a transaction of a database with very many tables has more.
    static let limit = 50

    private(set) var tables: [Table] = []
    /// Operations on indexes, sequences, and the rest of the catalog.
    private(set) var restCount = 0
    /// By their storage, or their catalog row.
    private var places: [[UInt8]: Int] = [:]

    /// Counts `transaction`; the catalog rows in it are taken into `names` on the way.
    mutating func add(
        _ transaction: ChangeTransaction, _ names: WALNames
    ) throws(StorageError) {
        try transaction.forEachOperation { operation throws(StorageError) in
            add(operation, names)
            _ = try names.schema.takeReadable(operation)
            return true
        }
        resolve(names)
    }

    /// Counts the rows of ingested files: which table each belongs to, and how many there are.
    mutating func add(_ ingest: IngestRecord, _ names: WALNames) {
        for file in ingest.files {
            let place = file.smallest.withUnsafeBytes { self.place(ofRow: $0) }
            tables[place].counts[.other, default: 0] += Int(clamping: file.entryCount)
        }
        resolve(names)
    }

    private mutating func add(_ operation: WALOperation, _ names: WALNames) {
        if let dropped = TableOperation.definition(operation) {
            let place = place(of: Array(operation.key))
            if let table = names.schema.table(ofCatalogKey: operation.key) {
                name(place, table, names)
            }
            tables[place].counts[dropped ? .drop : .define, default: 0] += 1
            return
        }
        guard operation.operationClass == .row else {
            restCount += 1
            return
        }
        let place = place(ofRow: operation.key)
        if let change = TableOperation(operation) {
            tables[place].counts[Kind(change), default: 0] += 1
        } else if operation.sql == .none {
            tables[place].counts[.other, default: 0] += 1
        }
    }

    /// Keys that no schema made are one.
    private mutating func place(ofRow key: UnsafeRawBufferPointer) -> Int {
        let isTables =
            key.count >= KeyCodec.prefixLength && key.first == 0 && key.dropFirst(4).first == 0
        return place(of: isTables ? Array(key.prefix(KeyCodec.prefixLength)) : [])
    }

    private mutating func place(of key: [UInt8]) -> Int {
        if let known = places[key] { return known }
        places[key] = tables.count
        tables.append(Table(name: ""))
        return tables.count - 1
    }

    private mutating func name(_ place: Int, _ table: TableView, _ names: WALNames) {
        tables[place].name = table.name
        tables[place].database = names.schema.databaseName(table.descriptor.database)
    }

    /// Names what was counted, with the schema as the commit left it, and joins a table's rows with its definition.
    private mutating func resolve(_ names: WALNames) {
        for (key, place) in places where tables[place].name.isEmpty {
            key.withUnsafeBytes { key in
                if let table = names.table(of: key) {
                    name(place, table, names)
                } else {
                    tables[place].name = names.storage(of: key) ?? "keys without a schema"
                }
            }
        }
        var joined: [String: Table] = [:]
        for table in tables {
            let key = (table.database ?? "") + "." + table.name
            joined[key, default: Table(name: table.name, database: table.database)].counts
                .merge(table.counts, uniquingKeysWith: +)
        }
        places = [:]
        tables = joined.values.sorted {
            ($0.database ?? "", $0.name) < ($1.database ?? "", $1.name)
        }
    }

    // MARK: What is said

    /// A line for each table.
    var lines: [String] {
        var lines = tables.prefix(Self.limit).map { table in
            let counts = Kind.allCases.compactMap { kind in
                table.counts[kind].map { "\($0) \(kind.rawValue)" }
            }
            let place = table.database.map { " (database \($0))" } ?? ""
            return table.name + place + ": " + counts.joined(separator: ", ")
        }
        if tables.count > Self.limit {
            lines.append("and \(tables.count - Self.limit) tables more")
        }
        if restCount > 0 { lines.append("indexes and catalog: \(restCount)") }
        return lines
    }

    var json: JSONValue {
        .object([
            (
                "tables",
                .array(
                    tables.prefix(Self.limit).map { table in
                        .object(
                            [("table", .string(table.name)), ("database", .text(table.database))]
                                + Kind.allCases.map {
                                    ($0.rawValue, .count(table.counts[$0] ?? 0))
                                })
                    })
            ),
            ("table_count", .count(tables.count)), ("rest", .count(restCount)),
        ])
    }
}
