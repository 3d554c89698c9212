/// What of a table nobody can ask for any more once the safepoint has passed: how much, and when. In MANIFEST,
/// so that it is known without reading the table.
struct VersionGarbage: Hashable, Sendable {
    /// Versions with a newer one of their key in the same table, by when that was committed.
    var shadowed = Ages()
    /// Point deletes, by when they were committed: they go where nothing older lies beneath.
    var deletes = Ages()

    var isEmpty: Bool { shadowed.entries == 0 && deletes.entries == 0 }

    /// A number of entries by age.
    struct Ages: Hashable, Sendable {
        static let steps = 8

        var entries: UInt64 = 0
        /// When the first is due, when a seventh of the others is, and so on to the last; empty when there are
        /// none.
        var due: [Timestamp] = []

        /// Those that are due at `safepoint`, or some fewer; 0 only when none is.
        func count(at safepoint: Timestamp) -> UInt64 {
            let passed = due.prefix { $0 <= safepoint }.count
            if passed == due.count { return entries }
            if passed == 0 { return 0 }
            let (others, parts) = (entries &- 1, UInt64(Self.steps - 1))
            // In two terms: what a file says may be any number.
            let whole = others / parts &* UInt64(passed - 1)
            return whole &+ others % parts * UInt64(passed - 1) / parts &+ 1
        }
    }
}

// MARK: - Codec

extension VersionGarbage {
    /// ```
    /// of shadowed versions, then of deletes: entries varint, [when not 0: 8 timestamps u64 that do not
    /// fall]
    /// ```
    func encode(into writer: inout ByteWriter) {
        for ages in [shadowed, deletes] {
            writer.appendVarint(ages.entries)
            if ages.entries == 0 { continue }
            for timestamp in ages.due { writer.appendFixed(timestamp.rawValue) }
        }
    }

    /// Nil when it does not follow the format.
    init?(_ reader: inout ByteReader) {
        guard let shadowed = Self.ages(&reader), let deletes = Self.ages(&reader) else {
            return nil
        }
        self.shadowed = shadowed
        self.deletes = deletes
    }

    private static func ages(_ reader: inout ByteReader) -> Ages? {
        guard let entries = reader.readVarint() else { return nil }
        if entries == 0 { return Ages() }
        var ages = Ages(entries: entries)
        for _ in 0..<Ages.steps {
            guard let raw = reader.readFixed(UInt64.self), raw >= ages.due.last?.rawValue ?? 0
            else { return nil }
            ages.due.append(Timestamp(raw))
        }
        return ages
    }
}
