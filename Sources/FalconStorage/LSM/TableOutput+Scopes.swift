/// No file holds keys of two scopes. Range tombstones are cut where they leave the scopes they begin and end
/// in, and those of keys; between, where there is nothing to be hidden from anybody, a file of nothing but
/// range tombstones may span any number of scopes.
extension TableOutput {
    /// Whether `key` may be of another scope than those before it: then ``beginScope(_:)`` has to look.
    @inline(__always)
    func mayLeaveScope(_ key: UnsafeRawBufferPointer) -> Bool {
        EntryTree.window(key, 0) >= scopeEnd
    }

    /// Ends what belongs to the scopes before `key`'s.
    @inline(never)
    func beginScope(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        // Without its prefix a key is nobody's: it stays where it comes.
        guard let scopes, key.count >= 8 else { return }
        let prefix = EntryTree.window(key, 0)
        if let start = scopes.start(of: prefix).map(KeyScopes.key), mayBegin(at: start) {
            try endScopes(before: start)
            try cut(at: start)
        }
        scopeEnd = scopes.end(of: prefix) ?? .max
    }

    /// Ends the open file where its scope ends, and tombstones at the ends of the scopes in which one begins
    /// or ends: their number, not that of the scopes between, bounds that of the files.
    func endScopes(before bound: [UInt8]?) throws(StorageError) {
        guard let scopes else { return }
        let last = writer == nil ? lowerCut : Array(lastKey.bytes)
        if let end = last.flatMap({ scopes.end(of: KeyScopes.prefix($0)) }) {
            let key = KeyScopes.key(end)
            if bound.map({ KeyOrder.less(key, $0) }) ?? true { try cut(at: key) }
        }
        while tombstoneCutsPassed < tombstoneCuts.count {
            let key = KeyScopes.key(tombstoneCuts[tombstoneCutsPassed])
            if let bound, !KeyOrder.less(key, bound) { return }
            tombstoneCutsPassed += 1
            if mayBegin(at: key) { try cut(at: key) }
        }
    }

    /// Whether the next file may begin there: nothing lies there or beyond by now.
    private func mayBegin(at bound: [UInt8]) -> Bool {
        if let lowerCut, !KeyOrder.less(lowerCut, bound) { return false }
        return writer == nil || KeyOrder.less(Array(lastKey.bytes), bound)
    }
}
