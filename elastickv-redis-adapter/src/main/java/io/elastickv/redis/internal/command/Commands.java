package io.elastickv.redis.internal.command;

/** Puts the table of all commands together. */
public final class Commands {

    private Commands() {}

    /** The table whose handlers work for {@code server}. */
    public static CommandTable table(Server server) {
        CommandTable table = new CommandTable();
        Retry retry = new Retry(server);
        new ConnectionCommands(server).define(table);
        new ClientCommands(server).define(table);
        new StringCommands(server).define(table);
        new RangeCommands(server, retry).define(table);
        new NumberCommands(server, retry).define(table);
        new KeyCommands(server, retry).define(table);
        new ExpiryCommands(server, retry).define(table);
        new ScanCommands(server).define(table);
        new ObjectCommands(server).define(table);
        new ServerCommands(server).define(table);
        new ConfigCommands(server).define(table);
        new ClusterCommands(server).define(table);
        new CommandCommands(table).define();
        return table;
    }
}
