import FalconStorage

/// One connection that runs TPC-B transactions. For one thread.
final class TPCBClient {
    private let wire: WireClient
    private let options: TPCBOptions
    private let clock: any StorageClock
    private var random: SplitMix64

    let latency = LatencyHistogram()
    private(set) var retries: UInt64 = 0
    /// Given up after too many retries.
    private(set) var failed: UInt64 = 0
    var failure: WireFailure?

    init(_ options: TPCBOptions, _ clock: any StorageClock, seed: UInt64) throws(WireFailure) {
        self.options = options
        self.clock = clock
        random = SplitMix64(seed: seed)
        wire = try WireClient(
            host: options.host, port: options.port, user: options.user, database: options.database)
        for (name, sql) in TPCBTables.statements { try wire.prepare(name, sql) }
    }

    func close() { wire.close() }

    /// Until `deadline`, or for the number of transactions asked for.
    func run(until deadline: UInt64, shouldStop: () -> Bool) throws(WireFailure) {
        var left = options.transactions > 0 ? options.transactions : Int.max
        while left > 0, !shouldStop() {
            if options.transactions == 0, clock.monotonicNanos() >= deadline { return }
            left -= 1
            try transaction()
        }
    }

    /// One transaction with its retries; its latency is that of all of them together.
    private func transaction() throws(WireFailure) {
        let account = draw(options.scale * options.accountsPerBranch)
        let teller = draw(options.scale * TPCBTables.tellersPerBranch)
        let branch = draw(options.scale)
        let delta = String(Int(random.next() % 10_001) - 5000)
        let start = clock.monotonicNanos()
        var tries = 0
        while true {
            do throws(WireFailure) {
                try attempt(account, teller, branch, delta)
                latency.record(clock.monotonicNanos() &- start)
                return
            } catch {
                guard error.isRetryable else { throw error }
                if wire.isInTransaction { try wire.execute("rollback") }
                guard tries < options.retries else {
                    failed &+= 1
                    return
                }
                tries += 1
                retries &+= 1
            }
        }
    }

    private func draw(_ count: Int) -> String { String(1 + Int(random.next() % UInt64(count))) }

    private func attempt(
        _ account: String, _ teller: String, _ branch: String, _ delta: String
    ) throws(WireFailure) {
        try wire.execute("begin")
        try wire.execute("account", [delta, account])
        guard try wire.execute("balance", [account]).count == 1 else {
            throw WireFailure(
                "There is no account \(account): give the --scale of the tables, or --init.")
        }
        try wire.execute("teller", [delta, teller])
        try wire.execute("branch", [delta, branch])
        try wire.execute("history", [teller, branch, account, delta])
        try wire.execute("commit")
    }
}
