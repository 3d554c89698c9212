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

    static func key(_ prefix: UInt64) -> [UInt8] {
        withUnsafeBytes(of: prefix.bigEndian) { Array($0) }
    }
}
