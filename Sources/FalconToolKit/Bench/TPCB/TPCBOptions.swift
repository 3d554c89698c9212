import ArgumentParser
import FalconStorage

struct TPCBOptions: ParsableArguments {
    @Option(help: "The server's host.")
    var host = "127.0.0.1"
    @Option(help: "The server's port.")
    var port = 5432
    @Option(help: "The user; it must be let in without a password.")
    var user = "falcon"
    @Option(help: "The database.")
    var database = "postgres"
    @Option(help: "Connections, each with a thread.")
    var clients = 8
    @Option(help: "Seconds the transactions run.")
    var seconds = 10
    @Option(help: "Transactions per client, instead of --seconds; 0: by time.")
    var transactions = 0
    @Option(help: "Branches; each has 10 tellers.")
    var scale = 1
    @Option(name: .customLong("accounts-per-branch"), help: "Accounts of a branch.")
    var accountsPerBranch = 100_000
    @Flag(name: .customLong("init"), help: "Makes and fills the tables first; drops old ones.")
    var initialize = false
    @Option(help: "Times a transaction is tried again after a conflict before it counts as failed.")
    var retries = 10
    @Option(help: "Seed of the draws.")
    var seed: UInt64 = 1
    @Option(
        name: .customLong("admin-addr"),
        help: "HOST:PORT of the server's /metrics: throttling is looked up there.")
    var adminAddress: String?

    init() {}

    func validate() throws {
        try FlagLimit.check([
            FlagLimit("port", port, 1...65_535), FlagLimit("clients", clients, 1...4096),
            FlagLimit("seconds", seconds, 1...FlagLimit.mostSeconds),
            FlagLimit("transactions", transactions, 0...FlagLimit.mostOperations),
            FlagLimit("scale", scale, 1...100_000),
            FlagLimit("accounts-per-branch", accountsPerBranch, 1...10_000_000),
            FlagLimit("retries", retries, 0...FlagLimit.mostOperations),
        ])
    }

    var json: [(String, JSONValue)] {
        [
            ("host", .string(host)), ("port", .count(port)), ("user", .string(user)),
            ("database", .string(database)), ("clients", .count(clients)),
            ("seconds", .count(seconds)), ("transactions", .count(transactions)),
            ("scale", .count(scale)), ("accounts_per_branch", .count(accountsPerBranch)),
            ("init", .bool(initialize)), ("retries", .count(retries)), ("seed", .unsigned(seed)),
            ("admin_addr", .text(adminAddress)),
        ]
    }
}
