import ArgumentParser
import FalconStorage
import Testing

@testable import FalconServer

@Suite struct ConfigTests {
    private func parse(_ text: String) throws -> (ServerConfig, warnings: [String]) {
        var config = ServerConfig()
        let warnings = try ConfigFile.apply(text, name: "f", to: &config)
        return (config, warnings)
    }

    private func message(_ text: String) -> String {
        do {
            _ = try parse(text)
            return "accepted"
        } catch { return "\(error)" }
    }

    /// The printed defaults are what the server does without a file, and every key is in them.
    @Test func printedDefaultsAreTheDefaults() throws {
        let text = ConfigFile.defaultText()
        let (config, warnings) = try parse(text)
        #expect(warnings.isEmpty)
        #expect(String(describing: config) == String(describing: ServerConfig()))
        for key in ConfigKey.all {
            #expect(text.contains("\n\(key.name) = "), "\(key.path)")
            #expect(!key.help.isEmpty)
        }
        for target in ConfigKey.deprecated.values {
            #expect(ConfigKey.all.contains { $0.path == target }, "\(target)")
        }
    }

    @Test func valuesAreRead() throws {
        let (config, _) = try parse(
            """
            data_dir = "/x"
            [server]
            pg_addr = "[::1]:1"
            max_connections = 7
            shutdown_grace = "1min"
            [storage]
            memtable_size = "2 MB"
            block_cache_size = 1048576
            compression = "zstd"
            bottom_dictionary = "16KiB"
            background_write_rate = "8MiB"
            durability = "written"
            [archive]
            backup_max_rate = "32MiB"
            [settings]
            TimeZone = "UTC"
            jit = false
            work_mem = 4096
            """)
        #expect(config.dataDirectory == "/x")
        #expect(config.pgAddress == NetworkAddress(host: "::1", port: 1))
        #expect(config.maxConnections == 7)
        #expect(config.shutdownGraceMillis == 60_000)
        #expect(config.memtableBytes == 2 << 20)
        #expect(config.backupBytesPerSecond == 32 << 20)
        #expect(config.blockCacheBytes == 1 << 20)
        #expect(config.compression == .zstd)
        #expect(config.bottomDictionaryBytes == 16 << 10)
        #expect(config.backgroundBytesPerSecond == 8 << 20)
        #expect(config.durability == .written)
        #expect(
            config.settings.map { "\($0.0)=\($0.1)" }.sorted() == [
                "TimeZone=UTC", "jit=off", "work_mem=4096",
            ])
    }

    @Test func mistakesAreExplained() {
        #expect(
            message("[server]\npg_adr = \"x\"")
                == "f: unknown key \"server.pg_adr\". Did you mean \"server.pg_addr\"?")
        #expect(
            message("pg_addr = \"x\"")
                == "f: unknown key \"pg_addr\". Did you mean \"server.pg_addr\"?")
        #expect(message("qqqqqqqqqqqqq = 1").contains("--print-default-config"))
        #expect(
            message("[server]\nmax_connections = 0")
                == "f: server.max_connections must be between 1 and 100000, not 0")
        #expect(
            message("[server]\nmax_connections = \"many\"")
                == "f: server.max_connections must be a whole number, not \"many\"")
        #expect(message("[storage]\ncompression = \"lz5\"").contains("Did you mean \"lz4\"?"))
        #expect(message("[storage]\nmemtable_size = \"9999999 TB\"").contains("between 1MiB and"))
        #expect(
            message("[archive]\nbackup_max_rate = 1000")
                == "f: archive.backup_max_rate must be 0, or 32KiB or more")
        #expect(
            message("[storage]\nbackground_write_rate = 1000")
                == "f: storage.background_write_rate must be 0, or 1MiB or more")
        #expect(
            message("[storage]\nbackground_write_rate = \"fast\"").contains(
                "must be a size such as"))
        #expect(
            message("[storage]\nbottom_dictionary = 100")
                == "f: storage.bottom_dictionary must be 0, or 256 bytes or more")
        #expect(message("[server]\npg_addr = \"localhost\"").contains("must be an address"))
        #expect(message("[server]\npg_addr = \"h:70000\"").contains("must be an address"))
        #expect(message("x = ").hasPrefix("f:1:"))
        #expect(
            message("[settings]\nTimeZon = \"UTC\"")
                == "f: settings.TimeZon: unrecognized configuration parameter \"TimeZon\". "
                + "Did you mean \"TimeZone\"?")
        #expect(
            message("[settings]\nTimeZone = \"Mars/X\"")
                == "f: settings.TimeZone: invalid value for parameter \"TimeZone\": \"Mars/X\"")
        #expect(message("[settings]\nwork_mem = \"x\"").contains("invalid value"))
    }

    @Test func anOpenAddressWarns() throws {
        func warnings(_ address: String) throws -> [String] {
            try ServerCommand.parse(["--pg-addr", address]).resolve().warnings
        }
        #expect(try warnings("*:5433").contains { $0.contains("without a password") })
        #expect(try warnings(":5433").isEmpty)
        #expect(try warnings("[::1]:5433").isEmpty)
        #expect(try warnings("10.0.0.1:5433").count == 1)
    }

    @Test func deprecatedKeysWarn() throws {
        let (config, warnings) = try parse("[server]\nlisten_addr = \"127.0.0.1:9\"")
        #expect(config.pgAddress.port == 9)
        #expect(
            warnings == [
                "f: key \"server.listen_addr\" is deprecated, write \"server.pg_addr\""
            ])
    }

    @Test func flags() throws {
        let command = try ServerCommand.parse([
            "--data-dir", "/d", "--pg-addr", "h:1", "--admin-addr", ":2",
        ])
        let (config, _) = try command.resolve()
        #expect(config.dataDirectory == "/d")
        #expect(config.pgAddress.description == "h:1")
        #expect(config.adminAddress.description == "127.0.0.1:2")
        do {
            _ = try ServerCommand.parse(["--pg-adr", "x"])
            Issue.record("an unknown flag was accepted")
        } catch {
            #expect(ServerCommand.message(for: error).contains("Did you mean '--pg-addr'?"))
        }
        #expect(throws: ConfigError.self) {
            _ = try ServerCommand.parse(["--pg-addr", "nonsense"]).resolve()
        }
        #expect(throws: ConfigError.self) {
            _ = try ServerCommand.parse(["--config", "/nonexistent/x"]).resolve()
        }
    }

    @Test func editDistance() {
        #expect(NearestName.editDistance("", "abc") == 3)
        #expect(NearestName.editDistance("abcd", "abdc") == 1)
        #expect(NearestName.editDistance("kitten", "sitting") == 3)
        #expect(NearestName.find("zzzzzz", in: ["abc"]) == nil)
    }

    /// One source of the master key, and one there must be.
    @Test func theMasterKeyHasOneSource() throws {
        func options(_ lines: String) throws -> EncryptionOptions? {
            try parse("[storage]\n" + lines).0.encryption()
        }
        #expect(try options("") == nil)
        #expect { try options("encryption = true") } throws: {
            "\($0)".contains("storage.encryption needs encryption_key_file")
        }
        #expect {
            try options("encryption_key_file = \"/k\"\nencryption_key_command = \"c\"")
        } throws: {
            "\($0)".contains("give one of")
        }
        let given = try #require(
            try options(
                "encryption = true\nencryption_passphrase_file = \"/p\"\n"
                    + "encryption_key_max_age = \"90d\""))
        #expect(given.isEnabled)
        #expect(given.keyMaximumAgeMicros == 90 * 86_400 * 1_000_000)
        guard case .passphraseFile("/p") = given.masterKey else {
            Issue.record("\(given.masterKey)")
            return
        }
        // A key without encryption: what is encrypted becomes plain.
        #expect(try options("encryption_key_file = \"/k\"")?.isEnabled == false)
    }
}
