from fabric import task


@task
def up(c):
    c.run("uptime")
