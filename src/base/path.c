/* path.c: names of files and folders. */
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_exists(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0;
}

char *path_join(struct context *ctx, const char *a, const char *b)
{
    size_t length = strlen(a);
    if (b[0] == '/' || length == 0)
        return memory_text(ctx, b);
    size_t size = length + strlen(b) + 2;
    char *joined = memory_new(ctx, size, 1);
    if (joined != NULL)
        snprintf(joined, size, "%s%s%s", a, a[length - 1] == '/' ? "" : "/", b);
    return joined;
}

char *path_directory(struct context *ctx, const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length == 0)
        return memory_text(ctx, ".");
    while (length > 1 && path[length - 1] == '/')
        length--;
    char *folder = memory_new(ctx, length + 1, 1);
    if (folder != NULL)
        memcpy(folder, path, length);
    return folder;
}

char *path_beside(struct context *ctx, struct arena *arena, const char *file, const char *path)
{
    char *folder = path_directory(ctx, file), *joined = NULL, *found = NULL;
    if (folder != NULL)
        joined = path_join(ctx, strcmp(folder, ".") == 0 ? "" : folder, path);
    if (joined != NULL)
        found = arena_text(arena, joined);
    memory_free(ctx, joined);
    memory_free(ctx, folder);
    return found;
}

char *path_absolute(struct context *ctx, struct arena *arena, const char *path)
{
    char folder[4096];
    if (path[0] == '/')
        return arena_text(arena, path);
    if (getcwd(folder, sizeof folder) == NULL) {
        fail(ctx, STATUS_IO, "cannot tell the working directory: %s", strerror(errno));
        return NULL;
    }
    return arena_format(arena, "%s/%s", folder, path);
}

/* folder_make: one folder whose parent is there; an existing folder is fine. Returns errno or 0. */
static int folder_make(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return 0;
    int number = errno;
    struct stat found;
    if (stat(path, &found) == 0) /* also where mkdir says EROFS or EACCES of a folder that is there */
        return S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
    return number;
}

enum status directory_make(struct context *ctx, const char *path)
{
    char *part = memory_text(ctx, path);
    if (part == NULL)
        return ctx->error.status;
    int number = 0;
    for (char *at = part + 1; part[0] != '\0' && *at != '\0' && number == 0; at++) {
        if (*at != '/' || at[-1] == '/')
            continue;
        *at = '\0';
        number = folder_make(part);
        *at = '/';
    }
    if (number == 0)
        number = folder_make(part);
    memory_free(ctx, part);
    if (number == 0)
        return STATUS_OK;
    char text[128];
    if (strerror_r(number, text, sizeof text) != 0)
        snprintf(text, sizeof text, "error %d", number);
    return fail(ctx, STATUS_IO, "cannot make the folder %s: %s", path, text);
}
