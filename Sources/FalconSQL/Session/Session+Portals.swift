import FalconSchema

/// Prepared statements and portals by name.
extension Session {
    static func noPortal(_ name: String) -> SQLError {
        SQLError(.invalidCursorName, "portal \"\(name)\" does not exist")
    }

    func statement(named name: String) throws(SQLError) -> PreparedStatement {
        guard let prepared = statements[name] else {
            throw name.isEmpty
                ? SQLError(
                    .invalidSQLStatementName, "unnamed prepared statement does not exist")
                : SQLError(
                    .invalidSQLStatementName, "prepared statement \"\(name)\" does not exist")
        }
        return prepared
    }

    func numberPortal() -> Int {
        nextPortalNumber &+= 1
        return nextPortalNumber &- 1
    }

    func dropPortal(_ name: String) {
        if let portal = portals.removeValue(forKey: name) { portal.run?.finish() }
    }

    /// Those that an earlier transaction has left WITH HOLD stay, but for the session's end.
    func dropAllPortals(evenKept: Bool = false) {
        guard !portals.isEmpty else { return }
        for (name, portal) in portals where evenKept || !portal.isKept { dropPortal(name) }
    }

    /// One format code per column from what Bind said: none, one for all, or one each.
    static func expand(_ formats: [Int16], _ count: Int) -> [Int16] {
        if formats.count == count { return formats }
        return Array(repeating: formats.first ?? 0, count: count)
    }
}
