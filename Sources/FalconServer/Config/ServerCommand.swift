import ArgumentParser
import FalconStorage
import Glibc

/// The `falcondb` command: reads flags and file, then runs the server until it is told to end.
public struct ServerCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "falcondb",
        abstract: "A PostgreSQL-compatible database server.",
        discussion: "Listens for PostgreSQL clients and for HTTP /health and /metrics.",
        version: "falcondb \(FalconVersion.current)")

    @Option(help: ArgumentHelp("Configuration file (TOML).", valueName: "file"))
    var config: String?
    @Option(
        help: ArgumentHelp(
            "Data directory, made when absent (default: ./falcon_data).", valueName: "dir"))
    var dataDir: String?
    @Option(
        help: ArgumentHelp(
            "Address for PostgreSQL clients (default: 127.0.0.1:5433).", valueName: "host:port"))
    var pgAddr: String?
    @Option(
        help: ArgumentHelp(
            "Address of /health and /metrics (default: 127.0.0.1:8080).", valueName: "host:port"))
    var adminAddr: String?
    @Flag(
        help: ArgumentHelp(
            "Give up the rows of damaged tables and blob files for good, and start: see docs/operations/errors.md."
        ))
    var dropDamagedTables = false
    @Flag(help: "Print a documented configuration file with every default, and exit.")
    var printDefaultConfig = false

    public init() {}

    public mutating func run() throws {
        if printDefaultConfig {
            guard ServerProcess.put(ConfigFile.defaultText(), to: STDOUT_FILENO) else {
                ServerProcess.say(
                    "falcondb: cannot write to standard output: \(String(cString: strerror(errno)))"
                )
                throw ExitCode(74)
            }
            return
        }
        let config: ServerConfig
        let warnings: [String]
        do throws(ConfigError) {
            (config, warnings) = try resolve()
        } catch {
            ServerProcess.say("falcondb: \(error)")
            throw ExitCode(64)
        }
        MemoryBudget.shareHeaps(2)
        let code = ServerProcess.run(config, warnings: warnings)
        if code != 0 { throw ExitCode(code) }
    }

    /// Defaults, then the file, then the flags.
    func resolve() throws(ConfigError) -> (ServerConfig, warnings: [String]) {
        var result = ServerConfig()
        var warnings: [String] = []
        if let path = config {
            warnings = try ConfigFile.apply(try Self.read(path), name: path, to: &result)
        }
        if let dataDir {
            guard !dataDir.isEmpty else { throw ConfigError("--data-dir must not be empty") }
            result.dataDirectory = dataDir
        }
        result.dropsDamagedTables = dropDamagedTables
        if let pgAddr { result.pgAddress = try Self.address(pgAddr, flag: "--pg-addr") }
        if let adminAddr {
            result.adminAddress = try Self.address(adminAddr, flag: "--admin-addr")
        }
        _ = try result.encryption()
        if !result.pgAddress.isLoopback {
            warnings.append(
                "\(result.pgAddress) can be reached from other machines, and every client is "
                    + "trusted without a password")
        }
        return (result, warnings)
    }

    private static func address(
        _ text: String, flag: String
    ) throws(ConfigError) -> NetworkAddress {
        guard let address = NetworkAddress(text) else {
            throw ConfigError("\(flag) must be host:port, such as 127.0.0.1:5433, not \"\(text)\"")
        }
        return address
    }

    private static func read(_ path: String) throws(ConfigError) -> String {
        guard let file = fopen(path, "rb") else {
            throw ConfigError("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { break }
            bytes += piece[..<count]
            guard bytes.count <= 4 << 20 else { throw ConfigError("\(path) is too large") }
        }
        if ferror(file) != 0 {
            throw ConfigError("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigError("\(path) is not valid UTF-8")
        }
        return text
    }
}
