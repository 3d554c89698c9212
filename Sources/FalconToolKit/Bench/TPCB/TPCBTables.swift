/// The tables of TPC-B, and what must hold of them.
enum TPCBTables {
    static let tellersPerBranch = 10
    /// The names under which each connection prepares its statements, and their text.
    static let statements: [(String, String)] = [
        ("begin", "BEGIN"),
        ("account", "UPDATE tpcb_accounts SET abalance = abalance + $1::int WHERE aid = $2::int"),
        ("balance", "SELECT abalance FROM tpcb_accounts WHERE aid = $1::int"),
        ("teller", "UPDATE tpcb_tellers SET tbalance = tbalance + $1::int WHERE tid = $2::int"),
        ("branch", "UPDATE tpcb_branches SET bbalance = bbalance + $1::int WHERE bid = $2::int"),
        (
            "history",
            "INSERT INTO tpcb_history (tid, bid, aid, delta, mtime) "
                + "VALUES ($1::int, $2::int, $3::int, $4::int, CURRENT_TIMESTAMP)"
        ),
        ("commit", "COMMIT"),
        ("rollback", "ROLLBACK"),
    ]

    static func create(_ client: WireClient, scale: Int, accounts: Int) throws(WireFailure) {
        for sql in [
            "DROP TABLE IF EXISTS tpcb_history", "DROP TABLE IF EXISTS tpcb_accounts",
            "DROP TABLE IF EXISTS tpcb_tellers", "DROP TABLE IF EXISTS tpcb_branches",
            "CREATE TABLE tpcb_branches (bid int PRIMARY KEY, bbalance int NOT NULL, filler char(88))",
            "CREATE TABLE tpcb_tellers (tid int PRIMARY KEY, bid int NOT NULL, tbalance int NOT NULL, "
                + "filler char(84))",
            "CREATE TABLE tpcb_accounts (aid int PRIMARY KEY, bid int NOT NULL, "
                + "abalance int NOT NULL, filler char(84))",
            "CREATE TABLE tpcb_history (tid int NOT NULL, bid int NOT NULL, aid int NOT NULL, "
                + "delta int NOT NULL, mtime timestamp NOT NULL, filler char(22))",
        ] { try client.query(sql) }
        try copy(client, "tpcb_branches (bid, bbalance)", scale) { "\($0)\t0\n" }
        try copy(client, "tpcb_tellers (tid, bid, tbalance)", scale * tellersPerBranch) {
            "\($0)\t\(($0 - 1) / tellersPerBranch + 1)\t0\n"
        }
        try copy(client, "tpcb_accounts (aid, bid, abalance, filler)", scale * accounts) {
            "\($0)\t\(($0 - 1) / accounts + 1)\t0\t \n"
        }
    }

    private static func copy(
        _ client: WireClient, _ target: String, _ count: Int, _ row: (Int) -> String
    ) throws(WireFailure) {
        var next = 1
        try client.copyIn("COPY \(target) FROM STDIN") {
            guard next <= count else { return nil }
            let end = min(next + 500, count + 1)
            defer { next = end }
            return (next..<end).map(row).joined()
        }
    }

    /// The four sums that must be equal, and the rows of history.
    struct Sums {
        let accounts: Int
        let tellers: Int
        let branches: Int
        let history: Int
        let historyRows: Int
        var areEqual: Bool { accounts == tellers && tellers == branches && branches == history }
    }

    static func sums(_ client: WireClient) throws(WireFailure) -> Sums {
        func number(_ sql: String) throws(WireFailure) -> Int {
            let rows = try client.query(sql)
            guard let row = rows.first, let cell = row.first else {
                throw WireFailure("'\(sql)' gives no row.")
            }
            // The sum of no rows is NULL.
            guard let text = cell else { return 0 }
            guard let value = Int(text) else { throw WireFailure("'\(sql)' gives '\(text)'.") }
            return value
        }
        return Sums(
            accounts: try number("SELECT sum(abalance) FROM tpcb_accounts"),
            tellers: try number("SELECT sum(tbalance) FROM tpcb_tellers"),
            branches: try number("SELECT sum(bbalance) FROM tpcb_branches"),
            history: try number("SELECT sum(delta) FROM tpcb_history"),
            historyRows: try number("SELECT count(*) FROM tpcb_history"))
    }
}
