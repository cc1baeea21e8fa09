package io.elastickv.embedded.internal.storage;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import net.openhft.chronicle.hash.VanillaGlobalMutableState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Defines {@link ChronicleMutableState} in Chronicle's package, under the name of the class that Chronicle would generate.
 * The class file is taken from here and its name replaced in the constant pool (Java Virtual Machine Specification,
 * section 4.4): a class of that package in our jar would split the package between two modules.
 */
final class ChronicleMutableStateLoader {

    private static final Logger LOG = LoggerFactory.getLogger(ChronicleMutableStateLoader.class);

    private static final int UTF8 = 1;
    private static final int LONG = 5;
    private static final int DOUBLE = 6;

    private ChronicleMutableStateLoader() {}

    /** Does it, or leaves it to Chronicle to compile the class. To be called once, before the first map. */
    static void load() {
        try (InputStream in = ChronicleMutableState.class.getResourceAsStream("ChronicleMutableState.class")) {
            if (in == null) {
                LOG.debug("no class file of the mutable state: it is compiled instead");
                return;
            }
            byte[] renamed = rename(
                    in.readAllBytes(),
                    ChronicleMutableState.class.getName().replace('.', '/'),
                    VanillaGlobalMutableState.class.getName().replace('.', '/') + "$$Native");
            MethodHandles.privateLookupIn(VanillaGlobalMutableState.class, MethodHandles.lookup())
                    .defineClass(renamed);
        } catch (IOException | IllegalAccessException | LinkageError e) {
            LOG.debug("the mutable state cannot be defined: it is compiled instead", e);
        }
    }

    private static byte[] rename(byte[] classFile, String from, String to) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(classFile));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeLong(in.readLong()); // magic and versions
        int count = in.readUnsignedShort();
        out.writeShort(count);
        for (int i = 1; i < count; i++) {
            int tag = in.readUnsignedByte();
            out.writeByte(tag);
            if (tag == UTF8) {
                out.writeUTF(in.readUTF().replace(from, to));
                continue;
            }
            out.write(in.readNBytes(lengthOf(tag)));
            if (tag == LONG || tag == DOUBLE) {
                i++; // these take two places
            }
        }
        in.transferTo(out);
        return bytes.toByteArray();
    }

    /** The bytes behind the tag of a constant. */
    private static int lengthOf(int tag) throws IOException {
        return switch (tag) {
            case 7, 8, 16, 19, 20 -> 2; // class, string, method type, module, package
            case 15 -> 3; // method handle
            case 3, 4, 9, 10, 11, 12, 17, 18 -> 4; // int, float, references, name and type, dynamic
            case LONG, DOUBLE -> 8;
            default -> throw new IOException("constant of type " + tag);
        };
    }
}
