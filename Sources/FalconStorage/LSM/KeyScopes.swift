/// The scopes of keys that begin with a database and a storage id: by turns the catalog's, with storage ids
/// below a limit, and the rows'.
///
/// ```
/// database 0 .. | database 1, limit .. | database 2, 0 .. | database 2, limit .. | ...
///    catalog    |         rows         |     catalog      |         rows         |
/// ```
struct KeyScopes {
    /// Storage ids below it are the catalog's.
    let catalogLimit: UInt32

    /// Where the scope of a key ends, as the first 8 bytes of a key; nil: nowhere.
    func end(of prefix: UInt64) -> UInt64? {
        let database = prefix >> 32
        if isCatalog(prefix) { return database << 32 | UInt64(catalogLimit) }
        return database < UInt64(UInt32.max) ? (database + 1) << 32 : nil
    }

    /// Where it begins; nil: at the first key.
    func start(of prefix: UInt64) -> UInt64? {
        let database = prefix >> 32
        if !isCatalog(prefix) { return database << 32 | UInt64(catalogLimit) }
        return database > 0 ? database << 32 : nil
    }

    private func isCatalog(_ prefix: UInt64) -> Bool {
        UInt32(truncatingIfNeeded: prefix) < catalogLimit
    }

    /// The borders of the scopes in which a tombstone begins or ends, in order.
    func borders(of tombstones: [RangeTombstone]) -> [UInt64] {
        var borders: Set<UInt64> = []
        for tombstone in tombstones {
            for edge in [tombstone.lower, tombstone.upper] {
                let prefix = Self.prefix(edge)
                // A key without its prefix comes before the scope it is taken for.
                if let start = start(of: prefix), !KeyOrder.less(edge, Self.key(start)) {
                    borders.insert(start)
                }
                if let end = end(of: prefix) { borders.insert(end) }
            }
        }
        return borders.sorted()
    }

    static func prefix(_ key: [UInt8]) -> UInt64 { key.withUnsafeBytes { EntryTree.window($0, 0) } }

    static func key(_ prefix: UInt64) -> [UInt8] {
        withUnsafeBytes(of: prefix.bigEndian) { Array($0) }
    }
}
