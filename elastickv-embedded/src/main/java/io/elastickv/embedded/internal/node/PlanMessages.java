package io.elastickv.embedded.internal.node;

import io.elastickv.api.Automation;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.PlanInfo;
import io.elastickv.api.PlannedOperation;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The bytes of a plan, as the leader of the catalog tells it to whoever asks (texts, and names of constants:
 * u16 length, modified UTF-8).
 *
 * <pre>
 * version u8 = 1 | automation | summary | operations u16, each: kind, shard i32 (-1: none), what, rule, reason |
 *         not done u16, each: rule, subject, reason, count i32
 * </pre>
 *
 * A plan is read by people: of very many lines only the first ones are told, and very long texts are cut.
 */
final class PlanMessages {

    private static final int VERSION = 1;
    private static final int MAX_LINES = 2_000;
    private static final int MAX_TEXT = 4_000;

    private PlanMessages() {}

    static byte[] encode(PlanInfo plan) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            out.writeUTF(plan.automation().name());
            text(out, plan.summary());
            int operations = Math.min(MAX_LINES, plan.operations().size());
            out.writeShort(operations);
            for (PlannedOperation operation : plan.operations().subList(0, operations)) {
                out.writeUTF(operation.kind().name());
                out.writeInt(operation.shard().orElse(-1));
                text(out, operation.what());
                text(out, operation.rule());
                text(out, operation.reason());
            }
            int notDone = Math.min(MAX_LINES, plan.notDone().size());
            out.writeShort(notDone);
            for (PlanInfo.NotDone not : plan.notDone().subList(0, notDone)) {
                text(out, not.rule());
                text(out, not.subject());
                text(out, not.reason());
                out.writeInt(not.count());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        out.writeUTF(text.length() > MAX_TEXT ? text.substring(0, MAX_TEXT) + "..." : text);
    }

    /**
     * Decodes.
     *
     * @throws IllegalArgumentException if the bytes are malformed or of another version
     */
    static PlanInfo decode(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int version = in.readUnsignedByte();
            if (version != VERSION) {
                throw new IllegalArgumentException("a plan of version " + version + ", this node speaks " + VERSION
                        + ": run the same version of the library on all nodes");
            }
            Automation automation = Automation.valueOf(in.readUTF());
            String summary = in.readUTF();
            List<PlannedOperation> operations = new ArrayList<>();
            for (int count = in.readUnsignedShort(); count > 0; count--) {
                OperationInfo.Kind kind = OperationInfo.Kind.valueOf(in.readUTF());
                int shard = in.readInt();
                operations.add(new PlannedOperation(
                        kind,
                        shard < 0 ? OptionalInt.empty() : OptionalInt.of(shard),
                        in.readUTF(),
                        in.readUTF(),
                        in.readUTF()));
            }
            List<PlanInfo.NotDone> notDone = new ArrayList<>();
            for (int count = in.readUnsignedShort(); count > 0; count--) {
                notDone.add(new PlanInfo.NotDone(in.readUTF(), in.readUTF(), in.readUTF(), in.readInt()));
            }
            if (in.available() > 0) {
                throw new IllegalArgumentException(in.available() + " bytes behind the end of a plan");
            }
            return new PlanInfo(operations, notDone, summary, automation);
        } catch (IOException e) {
            throw new IllegalArgumentException("a plan is cut short", e);
        }
    }
}
