"""文件格式. Bytes into domain values and back, exactly; nothing here touches a disk."""
