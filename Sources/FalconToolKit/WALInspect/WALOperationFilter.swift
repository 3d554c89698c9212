import FalconChanges
import FalconStorage

/// Which operations of a record are listed and counted.
struct WALOperationFilter {
    static let names = [
        "insert", "update", "delete", "truncate", "put", "remove", "remove-range", "ingest",
    ]
    static let classes = ["row", "index", "catalog", "system"]

    var tables: [TableGlob] = []
    /// Of ``names``; empty for all. The first four are a statement's, the others the engine's.
    var operations: Set<String> = []
    /// Of ``classes``; empty for all.
    var classes: Set<String> = []
    /// Empty for all.
    var keyPrefix: [UInt8] = []
    private var upperBound: [UInt8]?
    /// Whether a storage's table was chosen, by the eight bytes that begin its keys.
    private var chosen: [UInt64: Bool] = [:]
    private var generation = -1

    init() {}
    init(
        tables: [TableGlob], operations: Set<String>, classes: Set<String>, keyPrefix: [UInt8]
    ) {
        self.tables = tables
        self.operations = operations
        self.classes = classes
        self.keyPrefix = keyPrefix
        upperBound = KeyOrder.prefixSuccessor(keyPrefix)
    }

    /// Records without operations of this kind are left out.
    var isActive: Bool {
        !(tables.isEmpty && operations.isEmpty && classes.isEmpty && keyPrefix.isEmpty)
    }

    mutating func admits(_ operation: WALOperation, _ names: WALNames) -> Bool {
        if !classes.isEmpty, !classes.contains(WALRecordText.name(operation.operationClass)) {
            return false
        }
        if !operations.isEmpty, !operations.contains(Self.statement(operation.sql)),
            !operations.contains(Self.engine(operation.kind))
        {
            return false
        }
        if !keyPrefix.isEmpty, !holdsPrefix(operation) { return false }
        return tables.isEmpty || isChosen(operation.key, names)
    }

    mutating func admits(_ ingest: IngestRecord, _ names: WALNames) -> Bool {
        if !operations.isEmpty, !operations.contains("ingest") { return false }
        if !classes.isEmpty, !classes.contains("row") { return false }
        return ingest.files.contains { file in
            if !keyPrefix.isEmpty {
                guard Self.compare(file.greatest, keyPrefix) >= 0,
                    upperBound.map({ Self.compare(file.smallest, $0) < 0 }) ?? true
                else { return false }
            }
            return tables.isEmpty || file.smallest.withUnsafeBytes { isChosen($0, names) }
        }
    }

    private static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
        a.withUnsafeBytes { a in b.withUnsafeBytes { b in KeyOrder.compare(a, b) } }
    }

    /// A range delete counts when it reaches into the prefix.
    private func holdsPrefix(_ operation: WALOperation) -> Bool {
        guard operation.kind == .rangeDelete else {
            return operation.key.starts(with: keyPrefix)
        }
        let beginsBefore =
            upperBound?.withUnsafeBytes { KeyOrder.compare(operation.key, $0) < 0 } ?? true
        return beginsBefore
            && keyPrefix.withUnsafeBytes { KeyOrder.compare(operation.value, $0) > 0 }
    }

    private mutating func isChosen(
        _ key: UnsafeRawBufferPointer, _ names: WALNames
    ) -> Bool {
        if generation != names.generation {
            generation = names.generation
            chosen.removeAll(keepingCapacity: true)
        }
        func matches() -> Bool {
            guard let table = names.table(of: key) else { return false }
            return tables.contains { $0.matches(table.descriptor) }
        }
        // The catalog's rows share a prefix and belong to different tables.
        guard key.count >= 8, names.schema.table(ofCatalogKey: key) == nil else { return matches() }
        let prefix = key.loadUnaligned(as: UInt64.self)
        if let known = chosen[prefix] { return known }
        let found = matches()
        chosen[prefix] = found
        return found
    }

    static func statement(_ sql: SQLOperation) -> String {
        switch sql {
        case .none: ""
        case .insert: "insert"
        case .update: "update"
        case .delete: "delete"
        case .truncate: "truncate"
        }
    }

    private static func engine(_ kind: OperationKind) -> String {
        switch kind {
        case .put: "put"
        case .delete: "remove"
        case .rangeDelete: "remove-range"
        case .valueReference, .intent, .merge: ""
        }
    }
}
