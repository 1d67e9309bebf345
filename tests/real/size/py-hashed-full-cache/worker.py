import schedule, httpx

schedule.every(10).minutes.do(lambda: httpx.get("https://example.com"))
while True:
    schedule.run_pending()
